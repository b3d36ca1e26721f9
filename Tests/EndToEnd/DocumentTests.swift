import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("What is made from the program itself")
struct DocumentTests {
    @Test(
        "is in the repository as it would be made now (make documents)",
        arguments: [
            ("commands", "docs/commands.md"), ("job-file", "docs/job-file.md"),
            ("reference-job", "config/reference.yaml"),
        ])
    func current(document: String, path: String) async throws {
        #expect(try await documents(document) == read(Repository.root.appending(path)), "make documents")
    }

    @Test("has two examples or more for each command, all of which the parser takes")
    func examples() async throws {
        #expect(try await documents("wrong-examples") == "\n")
        let pages = try await documents("commands").components(at: "\n### muster ").dropFirst()
        #expect(pages.count > 20)
        for page in pages {
            let examples = page.components(at: "\n- `muster ").count - 1
            #expect(examples >= 2, "\(page.prefix(20))")
            #expect(page.contains("\nExit status:"), "\(page.prefix(20))")
        }
    }

    @Test("leads nowhere by a link that is not there")
    func links() throws {
        let pages =
            try ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
            + FileSystem.names(in: Repository.root.appending("docs")).map { "docs/\($0)" }
        try #require(pages.count > 15)
        for page in pages {
            let path = Repository.root.pushing(FilePath(page))
            for link in try read(path).matches(of: /\]\(([^)# ]*)(?:#([^)]*))?\)/).map({ $0.output })
            where !link.1.hasPrefix("https://") {
                let target =
                    link.1.isEmpty
                    ? path : path.removingLastComponent().pushing(FilePath(String(link.1))).lexicallyNormalized()
                #expect(access(target.string, F_OK) == 0, "\(link.0) in \(page)")
                guard let anchor = link.2.map(String.init) else { continue }
                let headings = try read(target).split(separator: "\n").filter { $0.hasPrefix("#") }
                #expect(
                    headings.map { KeyTables.anchor($0.drop { $0 == "#" }.dropFirst()) }.contains(anchor),
                    "\(link.0) in \(page)")
            }
        }
    }

    @Test("is linked from the README, every page")
    func pages() throws {
        let readme = try read(Repository.root.appending("README.md"))
        for page in try FileSystem.names(in: Repository.root.appending("docs")) {
            #expect(readme.contains("(docs/\(page))"), "\(page)")
        }
    }

    @Test("names every room of every module, and no other")
    func rooms() throws {
        let page = try read(Repository.root.appending("docs/architecture.md"))
        let sources = Repository.root.appending("Sources")
        var count = 0
        for module in try FileSystem.names(in: sources) {
            let rooms = try FileSystem.names(in: sources.appending(module)).filter { name in
                guard name != "include" else { return false }
                return try FileSystem.status(of: sources.appending(module).appending(name)).kind == .directory
            }
            guard !rooms.isEmpty else { continue }
            count += 1
            let found = try #require(page.components(at: "\n- ").last { $0.hasPrefix("`\(module)`: ") }, "\(module)")
            let entry = found.components(at: "\n\n")[0]
            for room in rooms { #expect(entry.contains("`\(room)`"), "\(room) of \(module)") }
            for named in entry.matches(of: /`([A-Z][a-z]+)`/).dropFirst() {
                #expect(rooms.map(\.string).contains(String(named.output.1)), "\(named.output.1) of \(module)")
            }
        }
        #expect(count >= 10)
    }

    @Test("shows every command of the help under a heading, once")
    func groups() async throws {
        try await withScratch { scratch in
            let help = try await muster("--help", in: scratch).output
            for title in ["BACK UP:", "INSPECT:", "RESTORE:", "MAINTAIN:", "INTEGRATE:"] {
                #expect(help.components(at: "\n\(title)\n").count == 2, "\(help)")
            }
            #expect(!help.contains("SUBCOMMANDS") && !help.contains("documents"), "\(help)")
            for name in ["run", "check", "extract", "prune", "config"] {
                #expect(help.components(at: "\n  \(name) ").count == 2, "\(name) in \(help)")
            }
        }
    }

    @Test("is a job file, whichever of its keys is put into force")
    func referenceJob() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("reference.yaml")
            let lines = try await documents("reference-job").lines
            let blocks = lines.optionalBlocks
            #expect(blocks.count > 20)
            for block in [0..<0] + blocks {
                var job = lines
                // Another way to write the key may be in force just above.
                let above = block.isEmpty ? 0..<0 : max(0, block.lowerBound - 2)..<block.lowerBound
                for place in above where lines[place].key == lines[block.lowerBound].withoutFirstHash.key {
                    job[place] = ""
                }
                for place in block { job[place] = job[place].withoutFirstHash }
                try write(job.joined(separator: "\n"), to: file)
                let checked = try await muster("config", "check", file.string, in: scratch)
                #expect(checked.status == .exited(0), "\(lines[block].joined(separator: "\n")): \(checked.errors)")
            }
        }
    }

    @Test("is manual pages that groff finds nothing wrong with")
    func manual() async throws {
        try await withScratch { scratch in
            let made = try await muster("documents", "man", "--into", scratch.string, in: scratch)
            #expect(made.status == .exited(0), "\(made.errors)")
            let pages = try FileSystem.names(in: scratch).filter { ["1", "5"].contains($0.extension) }
            #expect(pages.count > 20 && pages.contains("muster.1") && pages.contains("muster.yaml.5"), "\(pages)")
            let result = try await Command.run(
                "/usr/bin/groff", ["-man", "-ww", "-z", "-Tutf8"] + pages.map { scratch.appending($0).string },
                environment: [:], scratch: scratch)
            #expect(result.status == .exited(0) && result.errors.isEmpty, "\(result.errors)")
        }
    }

    private func documents(_ document: String) async throws -> String {
        try await withScratch { try await muster("documents", document, in: $0).output }
    }

    private func muster(_ arguments: String..., in scratch: FilePath) async throws -> Command.Result {
        try await Command.run(musterExecutable, arguments, environment: [:], scratch: scratch)
    }
}

enum Repository {
    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
}

extension String {
    fileprivate func components(at separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }

    fileprivate var lines: [String] { components(at: "\n") }

    private var indent: Int { prefix { $0 == " " }.count }

    /// Where it begins with a `#`, and whether a key follows at once.
    fileprivate func isCommentedKey(at column: Int? = nil) -> Bool {
        indent == column ?? indent && dropFirst(indent).wholeMatch(of: /#[a-z_].*/) != nil
    }

    fileprivate func isBelowCommentedKey(at column: Int) -> Bool {
        indent == column && dropFirst(indent).hasPrefix("#  ")
    }

    fileprivate var column: Int { indent }

    /// With what stands before it.
    fileprivate var key: Substring { prefix { $0 != ":" } }

    fileprivate var withoutFirstHash: String { String(prefix(indent) + dropFirst(indent + 1)) }
}

extension [String] {
    /// The lines of each key that is commented out, with all that belongs to it.
    fileprivate var optionalBlocks: [Range<Int>] {
        indices.filter { self[$0].isCommentedKey() }.map { start in
            let end = self[(start + 1)...].firstIndex { !$0.isBelowCommentedKey(at: self[start].column) }
            return start..<(end ?? count)
        }
    }
}
