import DumpCore
import Linux
import SystemPackage

extension StagingArea {
    /// The dumps of the current set, by name, for what need not be dumped again.
    public func previousDumps() async -> [String: PreviousDump] {
        let area = self
        return await onOwnThread {
            let records = SetHead.manifest(of: area.current)?.dumps ?? []
            return Dictionary(
                records.map { record in
                    let directory = area.current.pushing(record.directory)
                    return (record.name, PreviousDump(directory: directory, record: record))
                }
            ) { first, _ in first }
        }
    }
}
