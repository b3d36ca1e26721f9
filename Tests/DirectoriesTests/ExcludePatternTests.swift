import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("Patterns of what is left out")
struct ExcludePatternTests {
    private static let paths = [
        "a.tmp", "keep.tmp", "dir/", "dir/a.tmp", "dir/sub/", "dir/sub/x", "cache/", "cache/x", "other/cache/",
        "other/cache/y",
        "logs/", "logs/old/", "logs/old/z", "logs/a/b/old/", "logs/a/b/old/w", "name with blank", "[x]", "x1", "x2",
        "xy", "!bang", "#hash",
        "deep/a/b/c/d.log", "deep/d.log",
    ]

    @Test(
        "mean what they mean to git",
        arguments: [
            ["*.tmp"], ["*.tmp", "!keep.tmp"], ["/a.tmp"], ["cache/"], ["/cache/"], ["cache"], ["dir/*"], ["dir/**"],
            ["**/old"],
            ["logs/**/old"], ["logs/*/old"], ["deep/**/*.log"], ["x[0-9]"], ["x[!0-9]"], ["\\[x\\]"], ["[[]x]"], ["?1"],
            ["*"],
            ["*", "!dir/"], ["name with blank"], ["\\!bang"], ["\\#hash"], ["/*", "!/dir"], ["dir/sub"], ["sub/x"],
            ["**/sub/x"], ["d*r"],
            ["**"], ["x[a-z0]"], ["x[[:digit:]]"], ["x[![:alpha:]]"], ["x[[:alpha:][:digit:]]"], ["[[:punct:]]*"],
            ["x[\\]1]"],
            ["x[\\0-\\9]"], ["*o*e*/"], ["**/a/**/d*"], ["d*/**/x"], ["x[2-1]"], ["*[[:space:]]*"], ["x[]1]"],
        ])
    func likeGit(patterns: [String]) async throws {
        try await withScratch { scratch in
            for path in Self.paths {
                let whole = scratch.pushing(FilePath(path))
                let directory = path.hasSuffix("/") ? whole : whole.removingLastComponent()
                let made = try await runProgram("mkdir", ["-p", directory.string])
                #expect(made.succeeded)
                if !path.hasSuffix("/") { try write("", to: whole) }
            }
            for arguments in [["init", "-q"], ["config", "core.excludesFile", "/dev/null"]] {
                #expect(try await runProgram("git", arguments, in: scratch).succeeded)
            }
            try write(patterns.joined(separator: "\n") + "\n", to: scratch.appending(".git/info/exclude"))
            let ignored = try await runProgram(
                "git", ["ls-files", "-z", "--others", "--ignored", "--exclude-standard"], in: scratch)
            #expect(ignored.succeeded, "\(ignored.lastErrors)")
            let expected = Set(ignored.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
            let compiled = patterns.compactMap { ExcludePattern($0) }
            #expect(compiled.count == patterns.count)
            // git tells files only: one below a directory that is left out is left out.
            let found = Self.paths.filter { !$0.hasSuffix("/") && isLeftOut($0, by: compiled) }
            #expect(Set(found) == expected)
        }
    }

    private func isLeftOut(_ path: String, by patterns: [ExcludePattern]) -> Bool {
        let names = path.split(separator: "/").map { Array($0.utf8) }
        return (1...names.count).contains { depth in
            let part = Array(names.prefix(depth))
            let last = patterns.last { $0.matches(part, isDirectory: depth < names.count) }
            return last.map { !$0.isNegated } ?? false
        }
    }

    @Test("take no time that grows with the number of their stars")
    func manyStars() throws {
        let pattern = try #require(ExcludePattern(String(repeating: "*a", count: 40) + "b"))
        #expect(!pattern.matches([[UInt8](repeating: UInt8(ascii: "a"), count: 255)], isDirectory: false))
        let deep = try #require(ExcludePattern(String(repeating: "**/a/", count: 40) + "b"))
        #expect(!deep.matches(Array(repeating: Array("a".utf8), count: 500), isDirectory: false))
    }

    @Test("compare bytes, also of names that are not UTF-8")
    func bytes() throws {
        let name = FilePath("x").appending(FilePath.Component(platformString: [CChar(bitPattern: 0xFF), 0])!)
        let pattern = try #require(ExcludePattern("?"))
        #expect(pattern.matches([name.lastComponent!.bytes], isDirectory: false))
    }

    @Test("without a name in them are none", arguments: ["", "/", "!", "!/", "a//b", "//", "[[:digits:]]", "[[.a.]]"])
    func refused(text: String) { #expect(ExcludePattern(text) == nil) }
}
