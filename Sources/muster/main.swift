import Glibc

// Whatever we create, for whatever reason, is ours alone.
umask(0o077)
SignalWait.run { await Muster.end(CommandLine.arguments.dropFirst()) }
