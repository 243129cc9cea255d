//! A host known by its functions, as a C program gives it.

use crate::object::{Object, Release};
use ft_local::{Host, Word};
use std::ffi::c_void;
use std::time::Duration;

/// The function that does the blocking in [`HostTable::block`].
pub(crate) type Wait = unsafe extern "C" fn(arg: *mut c_void);

/// A host known by its functions, as a C program gives it.
///
/// Where there are two forms of a function, one with the host's `ctx` and one without, at most one
/// is given. A table without any way to release is a host of plain values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostTable {
    /// How a reference is taken.
    pub retain: Retain,
    /// How a reference is given back.
    pub release: Release,
    /// How a thread waits.
    pub block: Block,
    /// How a waiting thread learns that it is to stop.
    pub interrupt: Interrupt,
    /// Which threads can learn that.
    pub interruptible: Interrupt,
    /// Whether one thread of the host runs at a time.
    pub one_lock: bool,
    /// Whether a thread had better wait for the end of a quick fill.
    pub whole_fills: bool,
    /// How the host says which fiber runs.
    pub fiber: Option<(unsafe extern "C-unwind" fn(*mut c_void) -> u64, *mut c_void)>,
}

/// How a host takes a reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Retain {
    /// It cannot, or has no need to.
    None,
    /// By a function of the object alone.
    Plain(unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void),
    /// By a function of the host's context and the object.
    WithCtx(unsafe extern "C-unwind" fn(*mut c_void, *mut c_void) -> *mut c_void, *mut c_void),
}

/// How a thread of the host waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Block {
    /// As any other thread does.
    Plainly,
    /// It leaves the runtime, waits, and comes back with what leaving gave it.
    DetachAttach(
        unsafe extern "C-unwind" fn() -> *mut c_void,
        unsafe extern "C-unwind" fn(*mut c_void),
    ),
    /// It hands the waiting function to the runtime, which calls it.
    Through(unsafe extern "C-unwind" fn(*mut c_void, Wait, *mut c_void), *mut c_void),
}

/// How a waiting thread of the host learns that it is to stop, or whether it ever can: not 0 from
/// the function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Interrupt {
    /// It never does; or every thread can.
    None,
    /// By a function without arguments.
    Plain(unsafe extern "C-unwind" fn() -> i32),
    /// By a function of the host's context.
    WithCtx(unsafe extern "C-unwind" fn(*mut c_void) -> i32, *mut c_void),
}

impl Interrupt {
    /// The host's answer, if it has one.
    ///
    /// # Safety
    /// It must be of a table that is in use.
    unsafe fn ask(self) -> Option<bool> {
        // SAFETY: the table's promise.
        let answer = unsafe {
            match self {
                Self::None => return None,
                Self::Plain(asked) => asked(),
                Self::WithCtx(asked, ctx) => asked(ctx),
            }
        };
        Some(answer != 0)
    }
}

// SAFETY: a table's maker promises that its functions may be called from any thread, with `ctx`.
unsafe impl Send for HostTable {}
// SAFETY: as above.
unsafe impl Sync for HostTable {}

impl HostTable {
    /// Retains `object`. `None` if the host could not.
    ///
    /// # Safety
    /// `object` must be an object of this host that stays alive during the call.
    pub unsafe fn retain(&self, object: *mut c_void) -> Option<Object> {
        // SAFETY: passed on to the host with the caller's promise.
        let handle = unsafe {
            match self.retain {
                Retain::None => object,
                Retain::Plain(retain) => retain(object),
                Retain::WithCtx(retain, ctx) => retain(ctx, object),
            }
        };
        let plain_value = matches!(self.retain, Retain::None);
        // SAFETY: the host has just retained what `handle` stands for.
        (plain_value || !handle.is_null()).then(|| unsafe { self.adopt(handle) })
    }

    /// Takes over one reference that the host already holds.
    ///
    /// # Safety
    /// `handle` must stand for one reference, which the caller gives up.
    pub unsafe fn adopt(&self, handle: *mut c_void) -> Object {
        // SAFETY: the caller's promise.
        unsafe { Object::new(handle, self.release) }
    }

    /// Whether NULL is a value like any other.
    pub fn holds_plain_values(&self) -> bool {
        matches!(self.release, Release::None)
    }
}

// SAFETY: the word is the address in the handle.
unsafe impl Host for HostTable {
    type Object = Object;

    fn into_word(object: Object) -> Word {
        object.into_raw().expose_provenance()
    }

    unsafe fn adopt_word(&self, word: Word) -> Object {
        // SAFETY: the word stands for one reference of this host.
        unsafe { self.adopt(std::ptr::with_exposed_provenance_mut(word)) }
    }

    fn block(&self, mut wait: &mut dyn FnMut()) {
        unsafe extern "C" fn call(arg: *mut c_void) {
            // SAFETY: `arg` is the address of `wait` below, which lives until `block` returns.
            let wait = unsafe { &mut *arg.cast::<&mut dyn FnMut()>() };
            wait();
        }
        match self.block {
            Block::Plainly => wait(),
            // SAFETY: the table's promise; the token goes back to where it came from.
            Block::DetachAttach(detach, attach) => unsafe {
                let token = detach();
                wait();
                attach(token);
            },
            // SAFETY: the table's promise; `call` gets what it expects.
            Block::Through(block, ctx) => unsafe {
                block(ctx, call, (&raw mut wait).cast());
            },
        }
    }

    fn has_one_lock(&self) -> bool {
        self.one_lock
    }

    fn prefers_whole_fills(&self) -> bool {
        self.whole_fills
    }

    fn interrupt_period(&self) -> Option<Duration> {
        // A user who presses Ctrl-C expects to see its effect at once: within 100 ms.
        let period = Duration::from_millis(50);
        (!matches!(self.interrupt, Interrupt::None)).then_some(period)
    }

    fn interrupted(&self) -> bool {
        // SAFETY: the table's promise.
        unsafe { self.interrupt.ask() }.unwrap_or(false)
    }

    fn fiber(&self) -> u64 {
        // SAFETY: the table's promise.
        self.fiber.map_or(0, |(asked, ctx)| unsafe { asked(ctx) })
    }

    fn interruptible(&self) -> bool {
        // SAFETY: the table's promise.
        unsafe { self.interruptible.ask() }.unwrap_or(true)
    }
}
