import Checksums
import DumpCore
import Jobs

/// The ping URL of a check, in the form of healthchecks.io: `URL/start`, `URL`, `URL/fail` and `URL/log`, with `rid=` for the run.
struct PingURL {
    /// Before and after the place of the word.
    private var address: String
    private var query: String?

    init(_ url: String) {
        let parts = url.split(atASCII: "?", maxSplits: 1, omittingEmptySubsequences: false)
        address = String(parts[0])
        while address.hasSuffix("/") { address.removeLast() }
        query = parts.count > 1 ? String(parts[1]) : nil
    }

    func text(for notice: Notice) throws(ChecksumError) -> String {
        let queries = [query, "rid=\(try Self.uuid(of: notice))"].compactMap(\.self).filter { !$0.isEmpty }
        return address + notice.event.ping + "?" + queries.joined(separator: "&")
    }

    /// What the server keeps of a body.
    private static let longestBody = 100_000
    /// An error's first lines say what is wrong; what follows is what programs have said.
    private static let mostLines = 40

    static func body(of notice: Notice) -> [UInt8] {
        let lines =
            [notice.subject] + notice.text.split(atASCII: "\n", omittingEmptySubsequences: false).map(String.init)
        return Array(lines.prefix(mostLines).joined(separator: "\n").utf8.prefix(longestBody))
    }

    /// A UUID that is the run's and no other's (version 8 of RFC 9562: made as we like).
    static func uuid(of notice: Notice) throws(ChecksumError) -> String {
        let name = "muster \(notice.host) \(notice.job) \(notice.command) \(notice.runID)"
        var digits = Array(try sha256(of: Array(name.utf8)).utf8.prefix(32))
        digits[12] = UInt8(ascii: "8")
        digits[16] = UInt8(ascii: "a")
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(decoding: digits[$0], as: UTF8.self) }
        return groups.joined(separator: "-")
    }
}

extension NoticeEvent {
    fileprivate var ping: String {
        switch self {
        case .start: "/start"
        case .success, .recovery: ""
        case .failure: "/fail"
        case .interruption, .test: "/log"
        }
    }
}
