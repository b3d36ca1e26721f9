/// An event that a receiver gets notices of.
public enum NoticeEvent: String, Sendable, Codable, CaseIterable {
    /// Something began.
    case start
    /// It went well.
    case success
    /// It went wrong, and had not done so the time before.
    case failure
    /// What had gone wrong goes well again.
    case recovery
    /// It was stopped.
    case interruption
    /// The operator tries whether notices arrive.
    case test

    /// Those that a job file can name.
    public static let allCases: [NoticeEvent] = [.start, .success, .failure, .recovery, .interruption]
}

/// What a notice is about.
public enum NoticeTopic: String, Sendable, Codable, CaseIterable {
    /// `muster run`, `dump` and `archive`.
    case run
    case drill
    /// `muster check-repository`.
    case check
    /// Something that has not happened for too long, which `muster status --notify` finds.
    case staleness
}
