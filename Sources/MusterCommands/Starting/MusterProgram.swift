import Glibc
import Linux

/// The program from its first instruction to its exit status.
public enum MusterProgram {
    /// To be called from `main`, once, before anything else.
    public static func run() -> Never {
        // Before anything of it is changed.
        StartingConditions.remember()
        // Usually from 1,024: a session in each of a thousand databases needs more.
        ResourceLimit.openFiles.raise()
        // Whatever we create, for whatever reason, is ours alone.
        umask(0o077)
        // There will be secrets in memory.
        CoreFiles.forbid()
        BatchScheduling.begin()
        SignalWait.run { await Muster.end(StartingConditions.arguments[...]) }
    }
}
