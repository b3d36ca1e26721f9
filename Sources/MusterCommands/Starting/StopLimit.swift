import Processes

/// How long a run that was stopped may go on.
///
/// What it waits for may never come: a file on a server that is gone, or a thread for which there is no room. A run that has no program
/// left to end is over in ten seconds. Programs have their grace, and a moment for the keepers. Borg has a minute, because it would leave
/// its lock behind, and programs that take a snapshot down have five.
struct StopLimit {
    private static let patience = Duration.seconds(10)
    /// When a program was last seen, as time since the signal.
    private var lastProgram = Duration.zero

    /// - Parameter time: since the signal.
    mutating func isOver(at time: Duration) -> Bool {
        if let grace = RunningPrograms.longestGrace, time < grace + Self.patience { lastProgram = time }
        return time - lastProgram > Self.patience
    }
}
