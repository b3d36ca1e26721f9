import DumpCore
import Linux

extension StagingArea {
    /// The dump of that name in the current set, if it is of that kind, for what need not be dumped again.
    public func previousDump(_ name: String, ofKind kind: String) async -> PreviousDump? {
        let area = self
        return await onOwnThread { SetInspection.previousDump(name, ofKind: kind, in: area.current) }
    }
}
