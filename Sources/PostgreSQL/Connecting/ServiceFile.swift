import DumpCore
import Glibc
import Linux
import SystemPackage

/// One named service of a `.pg_service.conf`, read as libpq does (`parseServiceFile` in `fe-connect.c`).
///
/// libpq looks for the file in one home, and here there are two: ours, and that of the user whom the programs run as. So it is read
/// once, and both get what it says.
struct ServiceFile: Sendable, Equatable {
    private(set) var options: [ConnectionOptions.Option] = []
    private(set) var password: Secret?

    /// The service `name` in the first of these homes whose file has it. Nil leaves it to libpq, which knows more places.
    static func find(_ name: String, in homes: [String]) throws(DumpError) -> ServiceFile? {
        for home in homes {
            // A file that is not there has no services.
            guard let text = try? contents(of: FilePath(home).appending(".pg_service.conf")) else { continue }
            if let service = try ServiceFile(name, in: text) { return service }
        }
        return nil
    }

    /// Nil if the text has no such service, or refers to a directory service for it.
    init?(_ name: String, in text: String) throws(DumpError) {
        let lines = text.split(atASCII: "\n").map { String($0).trimmed }.filter {
            !$0.isEmpty && !$0.hasBytePrefix("#")
        }
        guard let heading = lines.firstIndex(where: { $0.utf8.elementsEqual("[\(name)]".utf8) }) else { return nil }
        for line in lines[(heading + 1)...].prefix(while: { !$0.hasBytePrefix("[") }) {
            guard !line.hasBytePrefix("ldap") else { return nil }
            guard let equals = line.firstIndex(ofASCII: "=") else { throw Self.malformed(name) }
            take(String(line[..<equals]), String(line[line.utf8.index(after: equals)...]))
        }
    }

    private mutating func take(_ keyword: String, _ value: String) {
        if keyword == "password" {
            password = password ?? Secret(value)
        } else if !options.contains(where: { $0.keyword == keyword }) {
            options.append(ConnectionOptions.Option(keyword: keyword, value: value))
        }
    }

    private static func malformed(_ name: String) -> DumpError {
        DumpError(
            .settings, "service '\(name)' has a line without '=' in its .pg_service.conf",
            hint: "Write each option as 'keyword=value'.")
    }

    private static let sizeLimit = 1 << 20

    private static func contents(of path: FilePath) throws -> String {
        String(decoding: try FileSystem.bytes(of: path, atMost: sizeLimit), as: UTF8.self)
    }
}

extension ConnectionOptions {
    /// The same with what the service says in place of its name. What the string says itself comes first.
    func resolving(_ service: ServiceFile) -> ConnectionOptions {
        var resolved = self
        resolved["service"] = nil
        for option in service.options where resolved[option.keyword] == nil { resolved[option.keyword] = option.value }
        return resolved
    }
}
