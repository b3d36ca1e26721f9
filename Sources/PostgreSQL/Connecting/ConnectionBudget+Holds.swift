import DumpCore

extension ConnectionBudget {
    /// From here on other sessions may well wait for us.
    private static let longHold: Int64 = 20 << 30

    /// Tells when databases of one group stay frozen for long before their own dump begins.
    func longHolds(_ groups: [[ServerFacts.Database]], parallel: Int) -> [Finding] {
        groups.compactMap { longHold($0, parallel) }
    }

    /// Half of the slots take the largest first, the others the smallest: see `WorkSlots`. What is in the middle waits longest.
    private func longHold(_ group: [ServerFacts.Database], _ parallel: Int) -> Finding? {
        let sizes = group.map { $0.bytes ?? 0 }.sorted()
        let before = sizes.reduce(0, +) - (sizes.last ?? 0)
        // With several slots, the largest is under way from the start.
        let ahead = parallel == 1 ? before : before / Int64(parallel)
        guard group.count > 1, ahead >= Self.longHold else { return nil }
        return Finding(
            .note, "databases_held_long", object: "freeze",
            "up to \(formatBytes(ahead)) are dumped before the last of \(group.count) databases has its turn: "
                + "until then DROP DATABASE and CREATE INDEX CONCURRENTLY wait there, and VACUUM keeps dead rows",
            hint: "Raise 'parallel:', or lower connection_share: smaller groups are frozen one after the other.")
    }
}
