//! Compiles and loads the library and `benches/c_loops.c`.

use crate::candidates::Candidate;
use crate::harness::shot::{Shot, Tally};
use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

type Loops = *mut c_void;
type Loop = unsafe extern "C" fn(Loops, u64) -> u64;
type LoadFunction = unsafe extern "C" fn(*const c_void, *mut *mut c_void) -> i32;
type LoadBy = unsafe extern "C" fn(LoadFunction, *const c_void, u64) -> u64;

/// The shared library, and the loops that call it. Stays loaded.
pub(crate) struct Library {
    ft_local: *mut c_void,
    loops: *mut c_void,
}

// SAFETY: a handle of the dynamic linker may be used in any thread.
unsafe impl Sync for Library {}

impl Library {
    /// # Errors
    /// What the compiler or the dynamic linker says.
    pub(crate) fn compiled() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let folder = program.parent().expect("a program is in a folder");
        let object = folder.join("c_loops.so");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let library = built(root, folder)?;
        let compiler = std::env::var("CC").unwrap_or("cc".to_owned());
        let output = Command::new(&compiler)
            .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-I"])
            .arg(root.join("include"))
            .arg(root.join("benches/c_loops.c"))
            .arg("-o")
            .arg(&object)
            .arg(&library)
            .output()
            .map_err(|error| format!("{compiler}: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // The loops then find the library by its name.
        Ok(Self { ft_local: open(&library)?, loops: open(&object)? })
    }

    fn function(&self, name: &CStr) -> *mut c_void {
        find(self.loops, name)
    }

    pub(crate) fn load_by(&self, load: LoadFunction, batch: *const c_void, times: u64) -> u64 {
        // SAFETY: the function's type is that in c_loops.h; `load` gets the batch it is for.
        unsafe {
            let loop_by: LoadBy = std::mem::transmute(self.function(c"c_loops_load_by"));
            loop_by(load, batch, times)
        }
    }
}

/// Has cargo build the library, and returns where it is: beside the folder of this program.
fn built(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--lib", "--locked"])
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !cargo.success() {
        return Err("cargo did not build it".to_owned());
    }
    Ok(folder.with_file_name("libft_local.so"))
}

fn open(path: &Path) -> Result<*mut c_void, String> {
    let name = CString::new(path.as_os_str().as_bytes()).expect("a path has no zero byte");
    // SAFETY: the library's constructors need nothing.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        // SAFETY: after a failure there is a text, which is good until the next call.
        let text = unsafe { CStr::from_ptr(libc::dlerror()) };
        return Err(text.to_string_lossy().into_owned());
    }
    Ok(handle)
}

fn find(handle: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the handle is open.
    let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?} is not there");
    address
}

/// A loop of c_loops.h as a candidate, for one thread.
pub(crate) struct CLoop<'l> {
    library: &'l Library,
    loops: Loops,
    of: Loop,
    by_address: bool,
    counted: bool,
}

// SAFETY: one thread at a time uses it; each comparison ensures that.
unsafe impl Sync for CLoop<'_> {}

impl<'l> CLoop<'l> {
    pub(crate) fn new(library: &'l Library, of: &CStr) -> Self {
        // SAFETY: the functions' types are those in c_loops.h.
        unsafe {
            let new: unsafe extern "C" fn(c_int) -> Loops =
                std::mem::transmute(library.function(c"c_loops_new"));
            let loops = new(0);
            assert!(!loops.is_null(), "there is memory");
            let of = std::mem::transmute::<*mut c_void, Loop>(library.function(of));
            Self { library, loops, of, by_address: false, counted: true }
        }
    }

    /// Calls `ft_local_batch_load` by its address.
    pub(crate) fn by_address(mut self) -> Self {
        self.by_address = true;
        self
    }

    /// Takes no numbers.
    pub(crate) fn uncounted(mut self) -> Self {
        self.counted = false;
        self
    }

    fn call<R>(&self, name: &CStr) -> R {
        // SAFETY: the caller's types are those in c_loops.h.
        unsafe {
            let function: unsafe extern "C" fn(Loops) -> R =
                std::mem::transmute(self.library.function(name));
            function(self.loops)
        }
    }
}

impl Candidate for CLoop<'_> {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        if self.by_address {
            let load = find(self.library.ft_local, c"ft_local_batch_load");
            // SAFETY: the function has this type; the batch is the first field of `c_loops`.
            let (load, batch) = unsafe {
                (
                    std::mem::transmute::<*mut c_void, LoadFunction>(load),
                    *self.loops.cast::<*const c_void>(),
                )
            };
            return shot.run_blocks(|times| self.library.load_by(load, batch, times));
        }
        // SAFETY: one thread at a time is here.
        shot.run_blocks(|times| unsafe { (self.of)(self.loops, times) })
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        let next = || Some(self.call::<u64>(c"c_loops_take_left")).filter(|&number| number > 0);
        std::iter::from_fn(next)
            .for_each(|number| left(usize::try_from(number).expect("it was a word")));
        self.counted.then_some(self.call::<u64>(c"c_loops_made"))
    }
}

impl Drop for CLoop<'_> {
    fn drop(&mut self) {
        self.call::<()>(c"c_loops_free");
    }
}
