/*
 * What a kind of wrapper lacks, and has, as bits of a word.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_ABILITY_H
#define FT_LOCAL_SHIM_WRAPPER_ABILITY_H

#include "wrapper.h"

#pragma GCC visibility push(hidden)

/* Special methods of which a kind that lacks them has an entry of None. */
enum {
    LACKS_CALL,
    LACKS_ITER,
    LACKS_NEXT,
    LACKS_LEN,
    LACKS_CONTAINS,
    LACKS_HASH,
    LACKS_GETITEM,
    LACKS_SETITEM,
    LACKS_DELITEM,
    LACKS_REVERSED,
    LACKS_AWAIT,
    LACKS_AITER,
    LACKS_ANEXT,
    LACKS_INT,
    LACKS_FLOAT,
    LACKS_INDEX,
    LACKS_ABS,
    LACKS_BUFFER,
    SHIM_NAMES,
    /* Slots that are empty, whatever the names say. */
    EMPTY_ITEM_AT = SHIM_NAMES,
    EMPTY_SUBSCRIPT,
    EMPTY_INT,
    EMPTY_FLOAT,
    EMPTY_BUFFER,
    IS_SEQUENCE_PATTERN,
    IS_MAPPING_PATTERN,
    IS_DESCRIPTOR,
    IS_DATA_DESCRIPTOR,
    /* The first of SHIM_OPTIONAL_METHODS bits for methods that a kind has, and as many for those of
     * which it has an entry of None. */
    HAS_METHOD,
    REFUSES_METHOD = HAS_METHOD + SHIM_OPTIONAL_METHODS,
    ABILITIES = REFUSES_METHOD + SHIM_OPTIONAL_METHODS,
};

#define BIT(number) (UINT64_C(1) << (number))

/* Of objects of `type`. */
uint64_t shim_abilities_of(shim_state *state, PyTypeObject *type);

/* Makes of `type`, a new subclass of LocalWrapper, the kind with these abilities. Returns -1 with an
 * exception. */
int shim_ability_apply(shim_state *state, PyTypeObject *type, uint64_t abilities);

/* Adds all optional methods to `type` that it does not have yet. Returns -1 with an exception. */
int shim_ability_add_all(shim_state *state, PyTypeObject *type);

#pragma GCC visibility pop

#endif
