//! Starts processes, cheaply and tied to this one.
//!
//! All start from one permanent thread: the signal that a process gets when its parent dies is tied to the
//! *thread* that started it. They start as `posix_spawn` has it, on a stack of their own in this process's memory
//! and with this thread waiting, since `fork` would copy the page tables of all the data that is held. The standard
//! library does the same, but cannot ask for the parent-death signal on that path.

use std::{
    ffi::{CString, c_void},
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    ptr,
    sync::{
        Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use rustix::process::{Pid, getpid, set_child_subreaper};

/// A process that is to start.
#[derive(Debug)]
pub struct Start {
    /// Absolute.
    pub program: CString,
    /// The program's name is the first.
    pub arguments: Vec<CString>,
    /// All of it: `NAME=value`.
    pub environment: Vec<CString>,
    /// Its current folder.
    pub folder: CString,
    /// Its file descriptors 0, 1, 2 and 3.
    pub files: [OwnedFd; 4],
}

/// A process that has started; the leader of a process group of its own.
#[derive(Debug)]
pub struct Started {
    pub pid: Pid,
    /// Readable when it has ended.
    pub ended: OwnedFd,
    /// Bytes that this process had at its peak when it started that one, whose own peak the system begins to
    /// count from there.
    pub memory_before: u64,
}

/// How a process ended, and what it and those it waited for used.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// As `wait` has it.
    pub status: i32,
    pub cpu: Duration,
    /// Bytes, of the largest of them; what is not above [`Started::memory_before`] says nothing.
    pub peak_memory: u64,
}

/// Starts a process.
///
/// # Errors
/// What `execve` says, among others.
pub fn spawn(start: Start) -> io::Result<Started> {
    let (answer, answered) = channel();
    let gone = || io::Error::other("the thread that starts processes is gone");
    {
        let requests = spawner()?.lock().unwrap_or_else(PoisonError::into_inner);
        requests.send((start, answer)).map_err(|_| gone())?;
    }
    answered.recv().map_err(|_| gone())?
}

/// Takes the end of a process that has ended.
///
/// # Errors
/// When it is no child, or taken already.
pub fn reap(pid: Pid) -> io::Result<Ended> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        #[expect(
            unsafe_code,
            reason = "both pointers are to memory of ours, as large as what is written there"
        )]
        let reaped = unsafe { libc::wait4(pid.as_raw_pid(), &mut status, 0, usage.as_mut_ptr()) };
        if reaped >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    #[expect(unsafe_code, reason = "all zeros is a `rusage`, and the system has written it since")]
    let usage = unsafe { usage.assume_init() };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    Ok(Ended {
        status,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_memory: usage.ru_maxrss.unsigned_abs() * 1024,
    })
}

type Request = (Start, Sender<io::Result<Started>>);

fn spawner() -> io::Result<&'static Mutex<Sender<Request>>> {
    static SPAWNER: OnceLock<Mutex<Sender<Request>>> = OnceLock::new();
    if let Some(spawner) = SPAWNER.get() {
        return Ok(spawner);
    }
    let (requests, incoming) = channel();
    std::thread::Builder::new().name("flow-spawner".to_owned()).spawn(move || serve(&incoming))?;
    // Where two threads come here at once, one of the spawners finds its channel closed, and ends.
    Ok(SPAWNER.get_or_init(|| Mutex::new(requests)))
}

fn serve(requests: &Receiver<Request>) {
    // Whoever loses its parent becomes a child of this process, where it is found. Without that, on a kernel
    // older than 3.4, it is found by the mark in its environment only.
    let _ = set_child_subreaper(Some(getpid()));
    let mut stack = vec![MaybeUninit::<u128>::uninit(); STACK / 16];
    while let Ok((start, answer)) = requests.recv() {
        let _ = answer.send(start_now(start, &mut stack));
    }
}

/// Bytes. The child calls a dozen system calls on it.
const STACK: usize = 64 << 10;

/// What the child reads, all of it made before it starts: it must not allocate.
struct Plan {
    program: *const libc::c_char,
    arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    folder: *const libc::c_char,
    files: [RawFd; 4],
    parent: libc::pid_t,
    /// Of the call that failed; 0 when the program runs.
    error: i32,
}

fn start_now(start: Start, stack: &mut [MaybeUninit<u128>]) -> io::Result<Started> {
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let (arguments, environment) = (pointers(&start.arguments), pointers(&start.environment));
    // Above those that they become in the child, so that none is overwritten before it is read.
    let mut files = Vec::with_capacity(4);
    for file in &start.files {
        files.push(rustix::io::fcntl_dupfd_cloexec(file, 10)?);
    }
    let raw: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
    let mut plan = Plan {
        program: start.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        folder: start.folder.as_ptr(),
        files: <[RawFd; 4]>::try_from(raw).map_err(|_| io::Error::other("four files make four"))?,
        parent: getpid().as_raw_pid(),
        error: 0,
    };
    let memory_before = own_peak();
    let mut pidfd: RawFd = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    #[expect(
        unsafe_code,
        reason = "the child runs `child` on a stack of its own while this thread waits for its `execve` or end, so \
                  that all it points to lives; signals are blocked, so that no handler of ours runs in it"
    )]
    let pid = unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let top = stack.as_mut_ptr_range().end.cast::<c_void>();
        let pid = libc::clone(child, top, flags, (&raw mut plan).cast::<c_void>(), &raw mut pidfd);
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        if pid < 0 {
            return Err(error);
        }
        pid
    };
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("a process without a number"))?;
    #[expect(unsafe_code, reason = "the system made it for us a moment ago, and nobody else has it")]
    let ended = unsafe { OwnedFd::from_raw_fd(pidfd) };
    if plan.error != 0 {
        reap(pid)?;
        return Err(io::Error::from_raw_os_error(plan.error));
    }
    Ok(Started { pid, ended, memory_before })
}

/// Bytes that this process has had at its peak.
fn own_peak() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "the pointer is to memory of ours, and all zeros is a `rusage` too")]
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.ru_maxrss.unsigned_abs() * 1024
}

/// Runs in the child, in the parent's memory: system calls alone, no allocation, no lock, no panic.
extern "C" fn child(plan: *mut c_void) -> libc::c_int {
    #[expect(
        unsafe_code,
        reason = "the parent waits, and has given a `Plan`; what is called is safe after `vfork`"
    )]
    unsafe {
        let plan = plan.cast::<Plan>();
        (*plan).error = prepare_and_execute(&*plan);
        libc::_exit(127)
    }
}

/// Gives the error that kept the program from running.
#[expect(
    unsafe_code,
    reason = "pointers of the plan are to texts that end in zero, and lists that end in null"
)]
unsafe fn prepare_and_execute(plan: &Plan) -> i32 {
    unsafe {
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != plan.parent {
            return libc::ESRCH;
        }
        // What the parent ignores (Rust ignores SIGPIPE) the program would ignore too, and what it handles must
        // not be handled here.
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut to = 0;
        while to < 4 {
            if libc::dup2(plan.files[to as usize], to) < 0 {
                return *libc::__errno_location();
            }
            to += 1;
        }
        // Whatever this process was given open, and others of its libraries opened, stays here.
        libc::syscall(libc::SYS_close_range, 4u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        if libc::chdir(plan.folder) < 0 {
            return *libc::__errno_location();
        }
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        libc::execve(plan.program, plan.arguments, plan.environment);
        *libc::__errno_location()
    }
}

/// A text as the system takes it.
pub fn c_string(text: impl Into<Vec<u8>>) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "it has a zero byte in it"))
}
