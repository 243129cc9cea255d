// Every function that takes a handle, called with what is none: an argument error that names the
// handle, out-parameters cleared, and nothing else touched.

#ifndef REFUSALS_H
#define REFUSALS_H

// `word` is in each message.
void functions_of_wrapper(void *not_a_wrapper, const char *word);
void functions_of_batch(void *not_a_batch, const char *word);
void functions_of_cursor(void *not_a_cursor, const char *word);

#endif
