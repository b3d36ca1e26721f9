import Glibc
import Linux

// Whatever we create, for whatever reason, is ours alone.
umask(0o077)
BatchScheduling.begin()
SignalWait.run { await Muster.end(CommandLine.arguments.dropFirst()) }
