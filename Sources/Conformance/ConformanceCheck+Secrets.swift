import DumpCore
import Linux
import SystemPackage

extension ConformanceCheck {
    func secretsStaySecret() async throws {
        guard !subject.secrets.isEmpty else { try lack("this source has no secrets") }
        // A shorter one could be part of any text.
        let secrets = subject.secrets.filter { $0.utf8.count >= 8 }
        guard secrets.count == subject.secrets.count else { try lack("a secret is too short to be looked for") }
        let directory = try newDirectory()
        let run = TestRun()
        var shown: [String] = []
        try await run.prepared(provider(run)) { source in
            shown += (source.findings + source.omissions).map { "\($0)" } + source.facts.map { "\($0)" }
            shown.append("\(try await run.dump(source, into: directory))")
            shown += try await errorOfDamage(source, run)
        }
        shown += run.logged.all
        expect(!run.logged.all.isEmpty, "nothing is logged")
        for secret in secrets {
            expect(!shown.contains { $0.contains(secret) }, "a secret is shown")
            for entry in try FileTree(directory).entries() where entry.status.kind == .file {
                let isThere = try contains(Array(secret.utf8), directory.pushing(entry.path))
                expect(!isThere, "a secret is in \(entry.path)")
            }
        }
    }

    /// What the error of a damaged source shows; nothing of a source that cannot be damaged.
    private func errorOfDamage(_ source: any PreparedSource, _ run: TestRun) async throws -> [String] {
        do {
            try await subject.damage()
        } catch is NotApplicable {
            return []
        }
        let error = try await dumpError(of: "the dump of a damaged source") {
            _ = try await run.dump(source, into: try newDirectory("failed"))
        }
        return error.map { ["\(String(reflecting: $0)) \($0.description)"] } ?? []
    }

    private func contains(_ bytes: [UInt8], _ path: FilePath) throws -> Bool {
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
        return try file.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            var kept = 0
            while true {
                let read = try buffer.withUnsafeMutableBytes {
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...]))
                }
                guard read > 0 else { return false }
                let found = bytes.withUnsafeBytes { secret in
                    buffer.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[..<(kept + read)]).contains(secret) }
                }
                if found { return true }
                // What begins at the end of one piece may go on in the next.
                let rest = min(bytes.count - 1, kept + read)
                buffer.replaceSubrange(0..<rest, with: Array(buffer[(kept + read - rest)..<(kept + read)]))
                kept = rest
            }
        }
    }
}
