import Glibc
import Linux

// Before anything of it is changed.
StartingConditions.remember()
// Whatever we create, for whatever reason, is ours alone.
umask(0o077)
BatchScheduling.begin()
SignalWait.run { await Muster.end(CommandLine.arguments.dropFirst()) }
