import Directories
import Testing

@Suite("Settings of a directory")
struct DirectorySettingsTests {
    private func text(_ keys: String) -> String {
        "{staging: /s, dumps: {a: {provider: directory, \(keys)}}}"
    }

    @Test("are read, with what is left out as documented")
    func defaults() throws {
        let settings = try #require(try job(text("path: /srv/x/./y")).dumps[0].settings as? DirectorySettings)
        var expected = DirectorySettings(path: "/srv/x/y")
        #expect(settings == expected)
        expected.selection.exclude = ["*.tmp", "!keep.tmp"]
        expected.selection.excludeIfPresent = [".nobackup"]
        expected.changedFiles = .warn
        let all =
            "path: /srv/x/y, exclude: ['*.tmp', '!keep.tmp'], exclude_if_present: [.nobackup], changed_files: warn"
        #expect(try job(text(all)).dumps[0].settings as? DirectorySettings == expected)
    }

    @Test(
        "are refused where they make no sense",
        arguments: [
            ("exclude: [a]", "missing key 'path' in dumps.a"),
            ("path: x", "dumps.a.path: expected an absolute path, found 'x'"),
            ("path: /x, exclude: ['/']", "dumps.a.exclude[0]: is not a pattern of gitignore(5)"),
            ("path: /x, exclude: ['../y']", "dumps.a.exclude[0]: leads out of path:, and would match nothing"),
            ("path: /x, exclude: ['!../y']", "dumps.a.exclude[0]: leads out of path:, and would match nothing"),
            (
                "path: /x, exclude_if_present: [a/b]",
                "dumps.a.exclude_if_present[0]: must be the name of a file, without /"
            ),
            ("path: /x, changed_files: ignore", "dumps.a.changed_files: expected fail or warn, found 'ignore'"),
            ("path: /x, excludes: [a]", "unknown key 'excludes'"),
        ])
    func refused(keys: String, message: String) {
        #expect(mistakes(in: text(keys)).contains(message), "\(mistakes(in: text(keys)))")
    }
}
