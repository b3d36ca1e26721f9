import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The pages")
struct ShownJobTests {
    @Test("show no job, or part of one, that does not load")
    func load() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("shown.yaml")
            var count = 0
            for page in try FileSystem.names(in: Repository.root.appending("docs")) {
                for job in try read(Repository.root.pushing("docs").appending(page)).shownJobs {
                    // Pages for operators, who have the plugins installed.
                    let plugins = "plugin_path: [\(Repository.root.appending("plugins"))]\n"
                    try write(job.contains("plugin_path") ? job : plugins + job, to: file)
                    let checked = try await Command.run(
                        musterExecutable, ["config", "check", file.string], environment: [:], scratch: scratch)
                    #expect(checked.status == .exited(0), "\(page): \(checked.errors)\n\(job)")
                    count += 1
                }
            }
            #expect(count > 8)
        }
    }
}

extension String {
    /// Each job file in a page, and each part of one that begins with a key of its top, made whole.
    fileprivate var shownJobs: [String] { blocks.filter(\.isOfJob).map(\.completed) }

    /// What stands on consecutive lines, without the indent of code. The ends of here documents and of fences end a block.
    private var blocks: [String] {
        split(separator: "\n", omittingEmptySubsequences: false).split { line in
            line.isEmpty || line.contains("<<'") || line.hasPrefix("```") || ["    END", "    YAML"].contains(line)
        }.map { block in
            let isIndented = block.allSatisfy { $0.hasPrefix("    ") }
            return block.map { $0.dropFirst(isIndented ? 4 : 0) }.joined(separator: "\n")
        }
    }

    private var isOfJob: Bool { ["staging: /", "dumps:\n", "repositories:\n"].contains { hasPrefix($0) } }

    private var completed: String {
        let staging = contains("staging:") ? "" : "staging: /var/lib/muster/shown\n"
        let dumps = contains("dumps:") ? "" : "\ndumps: {a: {provider: directory, path: /a}}"
        return staging + self + dumps + "\n"
    }
}
