//! The unwinder of a program that never unwinds. The static agent aborts at a panic, and has neither tables to unwind by
//! nor symbols to name: a backtrace of it would be empty. A panic still says what and where.
//!
//! std asks libunwind for a backtrace where RUST_BACKTRACE is set. The optimizer sees here that no frame is visited, and
//! drops 170 KB: libunwind, and std's readers of DWARF, of compressed sections and of mangled names.
#![cfg(all(target_arch = "aarch64", target_env = "musl", panic = "abort"))]
#![expect(unsafe_code, reason = "defines names of the C ABI; no function touches memory")]

use std::ffi::{c_int, c_void};
use std::process::abort;

/// libunwind's `_URC_END_OF_STACK`.
const END_OF_STACK: c_int = 5;

type Visit = extern "C" fn(context: *mut c_void, argument: *mut c_void) -> c_int;

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_: Visit, _: *mut c_void) -> c_int {
    END_OF_STACK
}

/// Functions that ask about a frame, or are called while a thread unwinds.
macro_rules! never_called {
    ($($name:ident($($argument:ty),*))*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) -> ! {
            abort()
        })*
    };
}

never_called! {
    _Unwind_FindEnclosingFunction(*mut c_void)
    _Unwind_GetCFA(*mut c_void)
    _Unwind_GetDataRelBase(*mut c_void)
    _Unwind_GetIP(*mut c_void)
    _Unwind_GetIPInfo(*mut c_void, *mut c_int)
    _Unwind_GetLanguageSpecificData(*mut c_void)
    _Unwind_GetRegionStart(*mut c_void)
    _Unwind_GetTextRelBase(*mut c_void)
    _Unwind_Resume(*mut c_void)
    _Unwind_SetGR(*mut c_void, c_int, usize)
    _Unwind_SetIP(*mut c_void, usize)
}
