import CLinux

/// Makes the scheduler treat this process, and every program it starts, as background work.
public enum BatchScheduling {
    /// Changes from SCHED_OTHER to SCHED_BATCH, see sched(7); a policy that the operator chose stays.
    ///
    /// A pg_dump that may interrupt the server's process with every row it is sent costs both of them most. Dumps of two databases at
    /// once on two processors took a tenth longer, with 180,000 changes of context instead of 17,000. Call it before the first thread
    /// is made: a policy belongs to a thread, and is handed on to what that thread makes.
    public static func begin() { clinux_begin_batch_scheduling() }
}
