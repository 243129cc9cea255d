// Tests of what is refused, and in which words.

#ifndef TEST_REFUSALS_H
#define TEST_REFUSALS_H

void add_refusal_tests(void);

#endif
