import DumpCore
import SystemPackage

/// One line of `lvs`.
struct LogicalVolume: Sendable, Equatable {
    var group: String
    var groupID: String
    var name: String
    /// Its device number, `major:minor`; `-1:-1` while it is not active.
    var device: String
    /// Such as `linear` or `thin`.
    var segmentType: String
    /// Ten letters, see lvs(8).
    var attributes: String
    var pool: String
    var origin: String
    var tags: [String]
    var bytes: Int64
    var freeBytesOfGroup: Int64
    /// How full a snapshot or a pool is; nil of anything else, and of a snapshot that LVM cannot read.
    var percent: Double?
    /// Empty when there is nothing to say.
    var health: String

    private static let columns = [
        "vg_name", "vg_uuid", "lv_name", "lv_kernel_major", "lv_kernel_minor", "segtype", "lv_attr", "pool_lv",
        "origin",
        "lv_tags", "lv_size", "vg_free", "data_percent", "lv_health_status",
    ]

    /// All of this host, those that LVM keeps to itself included.
    static func all(by programs: SystemPrograms) async throws(DumpError) -> [LogicalVolume] {
        let listing = try await programs.run(
            "lvs",
            [
                "--all", "--noheadings", "--separator", "|", "--units", "b", "--nosuffix", "--options",
                columns.joined(separator: ","),
            ])
        var volumes: [LogicalVolume] = []
        for line in listing.split(atASCII: "\n") {
            guard let volume = LogicalVolume(line: String(line)) else {
                throw DumpError(
                    .programUnsuitable, "lvs wrote a line that Muster does not understand",
                    context: ["line": String(line)])
            }
            volumes.append(volume)
        }
        return volumes
    }

    /// Those of one volume group; none if it is not there.
    static func all(
        inGroup id: String, by programs: SystemPrograms
    ) async throws(DumpError) -> [LogicalVolume] {
        try await all(by: programs).filter { $0.groupID == id }
    }

    /// Whether a volume group is there and has no volumes at all. One that was exported hides them.
    static func isEmpty(group id: String, by programs: SystemPrograms) async throws(DumpError) -> Bool {
        let listing = try await programs.run(
            "vgs", ["--noheadings", "--separator", "|", "--options", "vg_uuid,vg_attr,lv_count"])
        return listing.split(atASCII: "\n").contains { line in
            let fields = line.split(atASCII: "|", omittingEmptySubsequences: false).map { $0.trimmingSpaces }
            return fields.count == 3 && fields[0] == id && fields[1].dropFirst(2).first != "x" && fields[2] == "0"
        }
    }

    init?(line: String) {
        let fields = line.split(atASCII: "|", omittingEmptySubsequences: false).map { $0.trimmingSpaces }
        guard fields.count == Self.columns.count, let bytes = Int64(fields[10]), let free = Int64(fields[11]),
            fields[6].count >= 9
        else { return nil }
        group = fields[0]
        groupID = fields[1]
        // In brackets when LVM keeps it to itself.
        name = fields[2].filter { $0 != "[" && $0 != "]" }
        device = "\(fields[3]):\(fields[4])"
        segmentType = fields[5]
        attributes = fields[6]
        pool = fields[7].filter { $0 != "[" && $0 != "]" }
        origin = fields[8].filter { $0 != "[" && $0 != "]" }
        tags = fields[9].split(atASCII: ",").map(String.init)
        self.bytes = bytes
        freeBytesOfGroup = free
        percent = Double(fields[12])
        health = fields[13]
    }

    var isThin: Bool { segmentType == "thin" }

    /// The first letter: a classic snapshot, maybe one that is being merged. A volume with a cache has an origin too.
    var isClassicSnapshot: Bool { "sS".contains(attributes.first!) }

    /// The fifth letter: active, and nothing else that could be said of it.
    var isSound: Bool { state == "a" && isHealthy }

    var isHealthy: Bool { health.isEmpty }

    /// Whether a classic snapshot overflowed. `I` and `S` are invalid ones. One that is full to the brim was not, or not yet, found
    /// out.
    var overflowed: Bool { "IS".contains(state) || (percent ?? 100) >= 100 }

    private var state: Character { attributes.dropFirst(4).first! }

    var facts: DumpCore.ErrorContext {
        ["lv_attr": attributes, "data_percent": percent.map { "\($0)" } ?? "unknown", "lv_health_status": health]
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
