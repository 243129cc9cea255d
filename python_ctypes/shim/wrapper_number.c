/*
 * LocalWrapper: operators.
 *
 * Each operator takes the operands out of their wrappers, whichever of them are wrapped, and is
 * then the interpreter's own: with its dispatch, its results and its errors. Nothing is decided
 * when a wrapper is made, because the class of an object, and what the class can do, may change.
 */

#include "wrapper.h"

#include <string.h>

/* An object that only its wrapper holds is passed on with one more reference: see shim_hold. Apart
 * from their callers, which end with the operation itself for all other objects. */
__attribute__((noinline)) static PyObject *unary_on_held(PyObject *wrapped, unaryfunc operation) {
    PyObject *held = shim_hold(wrapped);
    PyObject *result = operation(wrapped);
    Py_XDECREF(held);
    return result;
}

__attribute__((noinline)) static PyObject *binary_on_held(PyObject *left, PyObject *right,
                                                          PyObject *bare_left, PyObject *bare_right,
                                                          binaryfunc operation) {
    /* What is not wrapped may be a temporary indeed, whose memory the operation may use again. */
    PyObject *held_left = left == bare_left ? NULL : shim_hold(bare_left);
    PyObject *held_right = right == bare_right ? NULL : shim_hold(bare_right);
    PyObject *result = operation(bare_left, bare_right);
    Py_XDECREF(held_left);
    Py_XDECREF(held_right);
    return result;
}

static inline PyObject *apply_unary(PyObject *self, unaryfunc operation) {
    SHIM_ASK(PyObject *, NULL, self,
             SHIM_LIKELY(Py_REFCNT(wrapped) != 1) ? operation(wrapped)
                                                  : unary_on_held(wrapped, operation));
}

static PyObject *apply_binary_nested(PyObject *left, PyObject *right, binaryfunc operation) {
    PyObject *result = NULL;
    PyObject *bare_left = shim_enter_operand(left);
    if (bare_left == NULL) {
        return NULL;
    }
    PyObject *bare_right = shim_enter_operand(right);
    if (bare_right != NULL) {
        result = operation(bare_left, bare_right);
        shim_leave_operand(right);
    }
    shim_leave_operand(left);
    return result;
}

static inline PyObject *apply_binary(PyObject *left, PyObject *right, binaryfunc operation) {
    PyObject *bare_left = shim_direct_operand(left);
    PyObject *bare_right = shim_direct_operand(right);
    if (SHIM_LIKELY(bare_left != NULL && bare_right != NULL)) {
        return SHIM_LIKELY(Py_REFCNT(bare_left) != 1 && Py_REFCNT(bare_right) != 1)
                   ? operation(bare_left, bare_right)
                   : binary_on_held(left, right, bare_left, bare_right, operation);
    }
    return apply_binary_nested(left, right, operation);
}

static inline PyObject *apply_ternary(PyObject *first, PyObject *second, PyObject *third,
                                      ternaryfunc operation) {
    PyObject *result = NULL;
    PyObject *bare_third = shim_enter_operand(third);
    if (bare_third == NULL) {
        return NULL;
    }
    PyObject *bare_second = shim_enter_operand(second);
    if (bare_second != NULL) {
        PyObject *bare_first = shim_enter_operand(first);
        if (bare_first != NULL) {
            PyObject *held_first = first == bare_first ? NULL : shim_hold(bare_first);
            PyObject *held_second = second == bare_second ? NULL : shim_hold(bare_second);
            result = operation(bare_first, bare_second, bare_third);
            Py_XDECREF(held_first);
            Py_XDECREF(held_second);
            shim_leave_operand(first);
        }
        shim_leave_operand(second);
    }
    shim_leave_operand(third);
    return result;
}

/* What the name on the left of an in-place operator is to stand for from now on: `self` if the
 * object has changed in place, and otherwise a new wrapper, so that no other name that stands for
 * `self` sees a change. Takes over the reference to `result`. */
static PyObject *in_place_result(PyObject *self, PyObject *result) {
    if (result == NULL) {
        return NULL;
    }
    bool same = result == ((shim_wrapper *)self)->wrapped;
    PyObject *wrapper =
        same ? Py_NewRef(self) : shim_wrapper_make(shim_wrapper_type_of(self), result);
    Py_DECREF(result);
    return wrapper;
}

#define UNARY(name, operation)                                                                     \
    static PyObject *name(PyObject *self) {                                                        \
        return apply_unary(self, operation);                                                       \
    }

#define BINARY(name, operation)                                                                    \
    static PyObject *name(PyObject *left, PyObject *right) {                                       \
        return apply_binary(left, right, operation);                                               \
    }

#define IN_PLACE(name, operation)                                                                  \
    static PyObject *name(PyObject *self, PyObject *other) {                                       \
        return in_place_result(self, apply_binary(self, other, operation));                        \
    }

UNARY(negative, PyNumber_Negative)
UNARY(positive, PyNumber_Positive)
UNARY(absolute, PyNumber_Absolute)
UNARY(invert, PyNumber_Invert)
UNARY(to_int, PyNumber_Long)
UNARY(to_float, PyNumber_Float)
UNARY(to_index, PyNumber_Index)

BINARY(subtract, PyNumber_Subtract)
BINARY(matrix_multiply, PyNumber_MatrixMultiply)
BINARY(true_divide, PyNumber_TrueDivide)
BINARY(floor_divide, PyNumber_FloorDivide)
BINARY(modulo, PyNumber_Remainder)
BINARY(divide_modulo, PyNumber_Divmod)
BINARY(shift_left, PyNumber_Lshift)
BINARY(shift_right, PyNumber_Rshift)
BINARY(and, PyNumber_And)
BINARY(xor, PyNumber_Xor)
BINARY(or, PyNumber_Or)

IN_PLACE(in_place_add, PyNumber_InPlaceAdd)
IN_PLACE(in_place_subtract, PyNumber_InPlaceSubtract)
IN_PLACE(in_place_multiply, PyNumber_InPlaceMultiply)
IN_PLACE(in_place_matrix_multiply, PyNumber_InPlaceMatrixMultiply)
IN_PLACE(in_place_true_divide, PyNumber_InPlaceTrueDivide)
IN_PLACE(in_place_floor_divide, PyNumber_InPlaceFloorDivide)
IN_PLACE(in_place_modulo, PyNumber_InPlaceRemainder)
IN_PLACE(in_place_shift_left, PyNumber_InPlaceLshift)
IN_PLACE(in_place_shift_right, PyNumber_InPlaceRshift)
IN_PLACE(in_place_and, PyNumber_InPlaceAnd)
IN_PLACE(in_place_xor, PyNumber_InPlaceXor)
IN_PLACE(in_place_or, PyNumber_InPlaceOr)

/* `left += wrapper` and `left *= wrapper` on a bare sequence first come here, as if they were `+` and
 * `*`, and only then to what the sequence does in place. Where that, and what it does otherwise,
 * takes a wrapper as it is, the operation is left to the sequence. */
static bool is_left_to_sequence(PyObject *left, PyObject *wrapped) {
    return PyByteArray_Check(left) ? PyObject_CheckBuffer(wrapped)
                                   : strcmp(Py_TYPE(left)->tp_name, "collections.deque") == 0;
}

static bool has_add(PyObject *object) {
    PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
    return number != NULL && number->nb_add != NULL;
}

/* Apart from its caller, which needs none of the registers that this one does. */
__attribute__((noinline)) static PyObject *add_to_sequence(PyObject *left, PyObject *right) {
    PyObject *wrapped = ((shim_wrapper *)right)->wrapped;
    bool only_sequences = wrapped != NULL && !has_add(left) && !has_add(wrapped);
    if (only_sequences && is_left_to_sequence(left, wrapped)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result = apply_binary(left, right, PyNumber_Add);
    /* What cannot be added to a sequence may extend it. */
    if (result == NULL && only_sequences && Py_TYPE(wrapped)->tp_iter != NULL &&
        PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    return result;
}

static PyObject *add(PyObject *left, PyObject *right) {
    /* Which no wrapper has. */
    PySequenceMethods *sequence = Py_TYPE(left)->tp_as_sequence;
    return SHIM_LIKELY(sequence == NULL || sequence->sq_inplace_concat == NULL)
               ? apply_binary(left, right, PyNumber_Add)
               : add_to_sequence(left, right);
}

__attribute__((noinline)) static PyObject *repeat_sequence(PyObject *left, PyObject *right) {
    PyObject *wrapped = ((shim_wrapper *)right)->wrapped;
    if (wrapped != NULL && (PyLong_CheckExact(wrapped) || PyBool_Check(wrapped))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return apply_binary(left, right, PyNumber_Multiply);
}

static PyObject *multiply(PyObject *left, PyObject *right) {
    PySequenceMethods *sequence = Py_TYPE(left)->tp_as_sequence;
    return SHIM_LIKELY(sequence == NULL || sequence->sq_repeat == NULL)
               ? apply_binary(left, right, PyNumber_Multiply)
               : repeat_sequence(left, right);
}

static PyObject *power(PyObject *base, PyObject *exponent, PyObject *modulus) {
    return apply_ternary(base, exponent, modulus, PyNumber_Power);
}

static PyObject *in_place_power(PyObject *self, PyObject *exponent, PyObject *modulus) {
    return in_place_result(self, apply_ternary(self, exponent, modulus, PyNumber_InPlacePower));
}

static int truth(PyObject *self) {
    SHIM_ASK(int, -1, self, PyObject_IsTrue(wrapped));
}

const PyType_Slot shim_wrapper_number_slots[] = {
    SHIM_SLOT(Py_nb_negative, negative),
    SHIM_SLOT(Py_nb_positive, positive),
    SHIM_SLOT(Py_nb_absolute, absolute),
    SHIM_SLOT(Py_nb_invert, invert),
    SHIM_SLOT(Py_nb_bool, truth),
    SHIM_SLOT(Py_nb_int, to_int),
    SHIM_SLOT(Py_nb_float, to_float),
    SHIM_SLOT(Py_nb_index, to_index),

    SHIM_SLOT(Py_nb_add, add),
    SHIM_SLOT(Py_nb_subtract, subtract),
    SHIM_SLOT(Py_nb_multiply, multiply),
    SHIM_SLOT(Py_nb_matrix_multiply, matrix_multiply),
    SHIM_SLOT(Py_nb_true_divide, true_divide),
    SHIM_SLOT(Py_nb_floor_divide, floor_divide),
    SHIM_SLOT(Py_nb_remainder, modulo),
    SHIM_SLOT(Py_nb_divmod, divide_modulo),
    SHIM_SLOT(Py_nb_power, power),
    SHIM_SLOT(Py_nb_lshift, shift_left),
    SHIM_SLOT(Py_nb_rshift, shift_right),
    SHIM_SLOT(Py_nb_and, and),
    SHIM_SLOT(Py_nb_xor, xor),
    SHIM_SLOT(Py_nb_or, or),

    SHIM_SLOT(Py_nb_inplace_add, in_place_add),
    SHIM_SLOT(Py_nb_inplace_subtract, in_place_subtract),
    SHIM_SLOT(Py_nb_inplace_multiply, in_place_multiply),
    SHIM_SLOT(Py_nb_inplace_matrix_multiply, in_place_matrix_multiply),
    SHIM_SLOT(Py_nb_inplace_true_divide, in_place_true_divide),
    SHIM_SLOT(Py_nb_inplace_floor_divide, in_place_floor_divide),
    SHIM_SLOT(Py_nb_inplace_remainder, in_place_modulo),
    SHIM_SLOT(Py_nb_inplace_power, in_place_power),
    SHIM_SLOT(Py_nb_inplace_lshift, in_place_shift_left),
    SHIM_SLOT(Py_nb_inplace_rshift, in_place_shift_right),
    SHIM_SLOT(Py_nb_inplace_and, in_place_and),
    SHIM_SLOT(Py_nb_inplace_xor, in_place_xor),
    SHIM_SLOT(Py_nb_inplace_or, in_place_or),
    {0, NULL},
};
