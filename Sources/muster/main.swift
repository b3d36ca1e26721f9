import Glibc
import Processes

// A keeper must be a process of one thread: nothing else may have happened yet.
Keeper.takeOverIfAsked(Array(CommandLine.arguments.dropFirst()))
// Whatever we create, for whatever reason, is ours alone.
umask(0o077)
SignalWait.run { await Muster.end(CommandLine.arguments.dropFirst()) }
