import DumpCore
import SystemPackage

/// A database that a restore has kept when another took its name.
struct KeptDatabase: Sendable, Equatable {
    /// What it is called since then, such as `shop_before_20261129T174500Z`.
    var name: String
    /// What it was called before, by which restore that was, and its comment of before.
    var marker: Marker
    /// On disk; 0 if the role may not know.
    var bytes: Int64

    var item: KeptItem {
        KeptItem(item: marker.name, name: name, since: marker.run.start ?? Timestamp(milliseconds: 0), bytes: bytes)
    }
}

extension KeptDatabase {
    /// The comment on a database by which a restore knows it again: it never drops one without.
    struct Marker: Sendable, Equatable {
        var run: RunID
        var name: String
        /// What the database had as its comment before.
        var comment: String?

        private static let start = "muster: kept by restore "

        var text: String {
            "\(Self.start)\(run) of \(escapedPathComponent(name))" + (comment.map { "\n\($0)" } ?? "")
        }

        init(run: RunID, name: String, comment: String?) {
            (self.run, self.name, self.comment) = (run, name, comment)
        }

        /// Nil for a comment of any other kind.
        init?(_ text: String) {
            let parts = text.split(atASCII: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, first.hasBytePrefix(Self.start) else { return nil }
            let words = first.utf8.dropFirst(Self.start.utf8.count).split(separator: UInt8(ascii: " "))
                .map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 3, words[1] == "of", let run = RunID(words[0]),
                let component = FilePath.Component(words[2]), let name = unescapedName(component)
            else { return nil }
            self.init(run: run, name: name, comment: parts.count > 1 ? String(parts[1]) : nil)
        }
    }
}

extension PostgreSQLRestorer {
    public func kept(_ request: RestoreRequest, in run: RunContext) async throws(DumpError) -> [KeptItem] {
        try await target(of: request, run).kept().map(\.item)
    }

    /// A database whose name or comment does not show that a restore has kept it is left alone.
    public func drop(_ item: KeptItem, _ request: RestoreRequest, in run: RunContext) async throws(DumpError) {
        let target = try await target(of: request, run)
        guard try await target.kept().contains(where: { $0.name.nameBytes == item.name.nameBytes }) else {
            throw DumpError(
                .settings, "no restore has kept a database '\(item.name)'",
                hint: "To see what is kept: muster restore --drop-old. Drop any other database by hand.")
        }
        run.log.notice("dropping a database that a restore has kept", metadata: ["database": "\(item.name)"])
        _ = try await target.drop(database: item.name)
    }

    private func target(of request: RestoreRequest, _ run: RunContext) async throws(DumpError) -> RestoreTarget {
        try await RestoreTarget.connect(to: request.target, as: request.user, runner: runner, for: run)
    }
}

extension RestoreTarget {
    func kept() async throws(DumpError) -> [KeptDatabase] {
        try await reading { session throws(DumpError) in
            let rows = try await session.query(
                """
                select datname as name, shobj_description(oid, 'pg_database') as comment,
                       case when has_database_privilege(oid, 'connect') then pg_database_size(oid) end as bytes
                from pg_database order by datname collate "C"
                """)
            var kept: [KeptDatabase] = []
            for row in rows {
                let name = try row.text("name")
                guard let marker = try row.optionalText("comment").flatMap(KeptDatabase.Marker.init),
                    RestoreNames(run: marker.run).isKept(name, from: marker.name)
                else { continue }
                kept.append(
                    KeptDatabase(name: name, marker: marker, bytes: try row.optionalInteger("bytes") ?? 0))
            }
            return kept.sorted { ($0.marker.run.description, $0.name) < ($1.marker.run.description, $1.name) }
        }
    }
}

extension RunID {
    /// When it began.
    fileprivate var start: Timestamp? {
        let digits = description.filter { ("0"..."9").contains($0) }.prefix(14).map(String.init)
        guard digits.count == 14 else { return nil }
        let part = { (range: Range<Int>) in digits[range].joined() }
        return Timestamp(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))Z")
    }
}
