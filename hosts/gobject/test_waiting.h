// Tests of how waits end, blocking and not.

#ifndef TEST_WAITING_H
#define TEST_WAITING_H

void add_waiting_tests(void);

#endif
