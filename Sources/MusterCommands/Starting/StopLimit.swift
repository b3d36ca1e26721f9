import Processes

/// How long a run that was stopped may go on.
///
/// What it waits for may never come: a file on a server that is gone, a thread that there is no room for. A run that has no program left to
/// end is over in ten seconds. Programs have their grace (a minute for Borg, which would leave its lock behind; five for what takes a
/// snapshot down), and a moment for the keepers.
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
