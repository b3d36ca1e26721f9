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
            ["x[\\0-\\9]"], ["*o*e*/"], ["**/a/**/d*"], ["a.tmp  "], ["name with blank   "], ["a.tmp\\ "],
            ["dir\\/sub"],
            ["/dir\\/a.tmp"], ["***/x"], ["***"], ["dir/***"], ["d***r"], ["logs/***/old"], ["dir\\\\/sub"],
            ["cache/  "], ["d*/**/x"], ["x[2-1]"], ["*[[:space:]]*"], ["x[]1]"],
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

    @Test(
        "mean something where git's match nothing: a dot at the start, a bracket without its end, a backslash at the end"
    )
    func unlikeGit() throws {
        for (text, path, isMatched) in [
            ("./cache", "cache", true), ("./cache", "other/cache", false), ("dir/./x", "dir/x", true),
            ("!./x/", "x", true), ("x[", "x[", true), ("x\\", "x\\", true), ("dir\\/", "dir", true), ("#x", "#x", true),
            // By gitignore(5) these stars are like one; git 2.39 lets them match a slash.
            ("d**/x", "dir/x", true), ("d**/x", "dir/sub/x", false),
            ("./*.tmp", "a.tmp", true), (".git", ".git", true), ("..x", "..x", true),
        ] {
            let pattern = try #require(ExcludePattern(text), "\(text)")
            let names = path.split(separator: "/").map { Array($0.utf8) }
            #expect(pattern.matches(names, isDirectory: true) == isMatched, "\(text) \(path)")
        }
    }

    @Test("that begin with the path of the tree are told as what they are from there on")
    func relative() throws {
        for (text, meant) in [
            ("/home/anna/.cache", "/anna/.cache"), ("/home/*/.cache/", "/*/.cache/"), ("!/home/x", "!/x"),
            ("/h*e/x", "/x"), ("/home", nil), ("home/x", nil), ("/var/x", nil), ("/**/x", nil), ("*.tmp", nil),
        ] as [(String, String?)] {
            #expect(try #require(ExcludePattern(text)).relative(to: [Array("home".utf8)]) == meant, "\(text)")
            #expect(try #require(ExcludePattern(text)).relative(to: []) == nil)
        }
    }

    @Test(
        "without a name in them are none, and neither are those that lead out of the tree",
        arguments: [
            "", "/", "!", "!/", "a//b", "//", "[[:digits:]]", "[[.a.]]", " ", "!  ", ".", "./", "..", "../x", "a/..",
            "/../x",
            "!../x",
        ])
    func refused(text: String) { #expect(ExcludePattern(text) == nil) }
}
