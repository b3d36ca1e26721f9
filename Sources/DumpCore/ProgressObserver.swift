/// Shows the progress of the units of work. Calls may come from any task.
public protocol ProgressObserver: Sendable {
    func began(_ unit: WorkUnit, of dump: String) async
    /// How far a running unit has come, from a provider that knows more than the size of what it has staged. A provider that
    /// tells once goes on telling; one that never does is shown by what it has staged. May come a moment after the end.
    func moved(_ unit: WorkUnit, of dump: String, to progress: UnitProgress) async
    func ended(_ unit: WorkUnit, of dump: String) async
}

/// How far a unit of work has come.
public struct UnitProgress: Sendable, Hashable {
    public var bytes: Int64
    /// What `bytes` is expected to become, an estimate; 0 when it is not known.
    public var expectedBytes: Int64
    /// What is being done right now, such as the table that is copied.
    public var detail: String?

    public init(bytes: Int64, expectedBytes: Int64, detail: String? = nil) {
        self.bytes = bytes
        self.expectedBytes = expectedBytes
        self.detail = detail
    }
}

/// Shows nothing.
public struct NoProgress: ProgressObserver {
    public init() {}
    public func began(_ unit: WorkUnit, of dump: String) async {}
    public func moved(_ unit: WorkUnit, of dump: String, to progress: UnitProgress) async {}
    public func ended(_ unit: WorkUnit, of dump: String) async {}
}
