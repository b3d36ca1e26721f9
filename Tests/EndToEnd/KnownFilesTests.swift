import SystemPackage
import TestSupport
import Testing

@Suite("What Borg knows of files")
struct KnownFilesTests {
    @Test(
        "counts in the next archive, and no more once the set that it knows them from is gone: an inode of it may be another file's",
        arguments: BorgUnderTest.allCases)
    func modes(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            let modes = try host.recordModes()
            // The repository is away for a night.
            for command in ["run", "run", "archive", "dump", "run", "run"] { try await host.mustSucceed(command) }
            let (all, changed) = ("rechunk,mtime", "mtime,size,inode")
            #expect(try read(modes).split(separator: "\n").map(String.init) == [all, changed, changed, all, changed])
        }
    }
}

extension TestHost {
    /// Has every Borg write down how it is told to find out what has changed, a line for each archive.
    fileprivate mutating func recordModes() throws -> FilePath {
        let modes = scratch.appending("modes")
        try fake(
            "recording-borg",
            """
            for word in "$@"; do
                [ "$last" != --files-cache ] || echo "$word" >> \(modes)
                last=$word
            done
            exec \(job.borg) "$@"
            """)
        job.borg = bin.appending("recording-borg").string
        return modes
    }
}
