import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("What Borg knows of files")
struct KnownFilesTests {
    @Test(
        "counts in the next archive, and no more once the set that it knows them from is gone: an inode of it may be another file's",
        arguments: BorgUnderTest.allCases)
    func modes(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version) { host in
            let modes = try host.recordModes()
            // The repository is away for a night.
            for command in ["run", "run", "archive", "dump", "run", "run"] { try await host.mustSucceed(command) }
            let (all, changed) = ("rechunk,mtime", "mtime,size,inode")
            #expect(try read(modes).split(separator: "\n").map(String.init) == [all, changed, changed, all, changed])
        }
    }
}

extension KnownFilesTests {
    @Test(
        "counts for the home directory of the last archive alone, and is believed by no other",
        arguments: BorgUnderTest.allCases)
    func homes(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version) { host in
            let modes = try host.recordModes()
            for home in ["one", "one", "two", "one", "one", "one"] {
                try await host.run(in: home)
            }
            let (all, changed) = ("rechunk,mtime", "mtime,size,inode")
            // In the other home Borg is told to skip what it knows, and knows nothing.
            #expect(
                try read(modes).split(separator: "\n").map(String.init) == [
                    all, changed, changed, all, changed, changed,
                ])
            #expect(
                try await host.command("/bin/sh", "-c", "ls \(host.scratch)/one/.cache/borg/*/files.muster-* | wc -l")
                    .output
                    == "1\n", "none is left behind")
        }
    }
}

extension KnownFilesTests {
    @Test("is not believed by another disk, or a copy, at the staging directory's path, nor by the first after that")
    func otherDisk() async throws {
        try await TestHost.withFiles { host in
            let modes = try host.recordModes()
            try await host.mustSucceed("run")
            try await host.mustSucceed("archive")
            let (first, copy) = (host.scratch.appending("first"), host.scratch.appending("copy"))
            _ = try await output("cp", "-a", host.staging.string, copy.string)
            try FileSystem.rename(host.staging, to: first)
            try FileSystem.rename(copy, to: host.staging)
            for _ in 1...2 { try await host.mustSucceed("run") }
            try FileSystem.rename(host.staging, to: copy)
            try FileSystem.rename(first, to: host.staging)
            try await host.mustSucceed("run")
            let (all, changed) = ("rechunk,mtime", "mtime,size,inode")
            // The copy's first archive has removed the cache that the first disk knew.
            #expect(try read(modes).split(separator: "\n").map(String.init) == [all, changed, all, changed, all])
        }
    }
}

extension TestHost {
    /// A run with a home directory of Borg's own.
    fileprivate func run(in home: String) async throws {
        let run = try await muster("run", environment: ["BORG_BASE_DIR": scratch.appending(home).string])
        try #require(run.status == .exited(0), "\(run.errors)")
    }

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
