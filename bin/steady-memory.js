// glibc gives threads heaps of their own, and each keeps room for the largest pictures that passed through it. With two heaps, and
// large buffers outside of them, memory is flat and smaller. Only the environment that a process begins with says so: it begins
// again, as the same process, where Node can do that (22.15 and newer).
const { env, execArgv, execPath, platform } = process;
const mayExec =
  process.execve !== undefined && process.permission === undefined && process.send === undefined;
const isSet = Object.keys(env).some((name) => name.startsWith("MALLOC_"));
if (platform === "linux" && mayExec && !isSet)
  process.execve(execPath, [execPath, ...execArgv, ...process.argv.slice(1)], {
    ...env,
    MALLOC_ARENA_MAX: "2",
    MALLOC_MMAP_THRESHOLD_: "4194304",
  });
