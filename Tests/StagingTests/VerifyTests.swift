import Checksums
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Verifying a set")
struct VerifyTests {
    @Test("A set that is as it was sealed has no problems, wherever it lies")
    func faithful() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "12345", "sub/y": "67"], "other": ["z": ""]])
            let told = Recorded<Int64>()
            let elsewhere = area.root.removingLastComponent().appending("extracted")
            try FileSystem.rename(area.current, to: elsewhere)
            let report = try await SetDirectory(elsewhere).verify { done, total in
                #expect(total == 7)
                told.append(done)
            }
            #expect(report.isFaithful && report.problems == [])
            #expect(report.files == 3 && report.bytes == 7)
            #expect(told.all.max() == 7)
        }
    }

    @Test("Whatever was done to a set is named, one line each", arguments: Damage.allCases)
    func damaged(damage: Damage) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "12345", "sub/y": "67"]])
            try damage.do(to: area.current)
            let problems = try await SetDirectory(area.current).verify().problems
            #expect(problems.map { "\($0.kind.rawValue) \($0)" } == (try damage.problems(area.current)))
            if damage == .content {
                #expect(try await area.currentSet() != nil, "contents are not read")
            } else {
                let error = await #expect(throws: StagingError.self) { try await area.currentSet() }
                #expect(error?.code == .damagedSet)
                // What was cut off is seen twice when contents are read.
                let structural = damage == .cutOff ? 1 : problems.count
                let more = structural > 1 ? " (and \(structural - 1) more)" : ""
                #expect(
                    error?.description == """
                        the set in \(area.current) is not what was sealed: \(problems[0])\(more)
                          hint: muster verify lists all of it. The next muster run replaces the set.
                        """)
            }
        }
    }

    @Test("A part of a set is verified by itself: nothing of it may be missing or changed, nothing else may be there")
    func part() async throws {
        try await withArea { area in
            let set = try await area.takeSet(
                ["app": ["x": "12345", "sub/y": "67", "sub2/z": "8"], "other": ["z": "9"]]
            ).set
            let part = SetPart(of: set.manifest.dumps[0], path: "app/sub")
            #expect(part.vouchers == ["manifest.json", "checksums/app.sha256"])
            func problems() async throws -> [String] {
                try await SetDirectory(area.current).verify([part]).problems.map(\.description)
            }
            let others = ["app/sub2/z", "app/x", "checksums/other.sha256", "other", "other/z"]
            #expect(
                try await problems() == others.map { "\($0): not in the manifest" }.filter { !$0.hasPrefix("other:") })
            for path in others { try FileTree(area.current.pushing(FilePath(path))).remove() }
            #expect(try await problems() == [])
            let expected = try await SetDirectory(area.current).verify([part], manifestSHA256: "0").problems
            #expect(expected.map { "\($0.kind) \($0.path)" } == ["changed manifest.json"])
            try write("6X", to: area.current.appending("app/sub/y"))
            #expect(try await problems().count == 1)
            try FileTree(area.current.appending("app/sub")).remove()
            #expect(try await problems() == ["app/sub/y: missing"])
        }
    }

    enum Damage: CaseIterable {
        case content, cutOff, missing, extra, extraDirectory, link, list, listGone, listOfOthers

        func `do`(to current: FilePath) throws {
            let file = current.appending("app/x")
            let list = current.appending("checksums/app.sha256")
            switch self {
            case .content: try write("12X45", to: file)
            case .cutOff: try write("123", to: file)
            case .missing: try FileTree(current.appending("app/sub")).remove()
            case .extra: try write("x", to: current.appending("app/sub/new"))
            case .extraDirectory: try fill(current, ["stray/file": "x"])
            case .link:
                try FileSystem.removeFile(file)
                #expect(symlink("sub/y", file.string) == 0)
            case .list: try write(try read(list).replacing("app/x", with: "app/X"), to: list)
            case .listGone: try FileSystem.removeFile(list)
            case .listOfOthers:
                let text = try read(list).replacing("app/x", with: "../lock")
                let digest = try FileScan(list).digest().sha256
                try write(text, to: list)
                let manifest = current.appending("manifest.json")
                try write(try read(manifest).replacing(digest, with: try FileScan(list).digest().sha256), to: manifest)
            }
        }

        func problems(_ current: FilePath) throws -> [String] {
            let list = current.appending("checksums/app.sha256")
            let digest = try sha256(of: Array("12345".utf8))
            func changed(_ text: String) throws -> String {
                "changed app/x: changed, its SHA-256 is \(try sha256(of: Array(text.utf8))) and not \(digest)"
            }
            let unlisted = ["extra app/sub/y: not in the manifest", "extra app/x: not in the manifest"]
            return switch self {
            case .content: [try changed("12X45")]
            case .cutOff: ["changed app: 2 files of 5 bytes, and not 2 files of 7 bytes", try changed("123")]
            case .missing: ["missing app/sub/y: missing"]
            case .extra: ["extra app/sub/new: not in the manifest"]
            case .extraDirectory: ["extra stray: not in the manifest", "extra stray/file: not in the manifest"]
            case .link: ["missing app/x: missing", "not_a_file app/x: neither a regular file nor a directory"]
            case .list:
                unlisted + [
                    "changed checksums/app.sha256: changed, its SHA-256 is \(try FileScan(list).digest().sha256) and not "
                        + (try sha256(of: Array(try read(list).replacing("app/X", with: "app/x").utf8)))
                ]
            case .listGone: unlisted + ["missing checksums/app.sha256: missing"]
            case .listOfOthers: unlisted + ["changed checksums/app.sha256: lists files that are not the dump's"]
            }
        }
    }

    @Test("What is not there is said to be missing, not incomplete")
    func missing() async throws {
        try await withArea { area in
            let error = await #expect(throws: StagingError.self) { _ = try await SetDirectory(area.current).verify() }
            #expect(error?.code == .notASet)
            #expect(
                error?.description == """
                    there is no set at \(area.current): nothing is there
                      hint: Check the path. A job's set is there after its first muster dump or muster run.
                    """)
        }
    }

    @Test("A directory without a manifest is no set")
    func notASet() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            try FileSystem.removeFile(area.current.appending("manifest.json"))
            for call in calls(area) {
                let error = await #expect(throws: StagingError.self) { try await call() }
                #expect(error?.code == .notASet)
                #expect(
                    error?.description == """
                        \(area.current) holds no manifest.json: it is not a complete set
                          hint: A set is complete when it has one. Take a new one with muster run.
                        """)
            }
        }
    }

    @Test("A link in the place of the current set is none, and the next run replaces it")
    func link() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            let elsewhere = area.root.removingLastComponent().appending("elsewhere")
            try FileSystem.rename(area.current, to: elsewhere)
            #expect(symlink(elsewhere.string, area.current.string) == 0)
            let error = await #expect(throws: StagingError.self) { try await area.currentSet() }
            #expect(
                error?.description == """
                    \(area.current) is not a directory
                      hint: Remove it. Then take a new set with muster run.
                    """)
            #expect(try await area.takeSet(["app": ["x": "1"]], run: .numbered(2)).reuse.files == 0)
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            #expect(try await area.faithfulRun(at: elsewhere) == .numbered(1))
        }
    }

    @Test("The set of a newer Muster is left to it")
    func newer() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            let manifest = area.current.appending("manifest.json")
            try write("{\"format_version\": 3, \"dumps\": \"in another form\"}", to: manifest)
            for call in calls(area) {
                let error = await #expect(throws: StagingError.self) { try await call() }
                #expect(error?.code == .newerFormat)
                #expect(
                    error?.description == """
                        \(manifest) has format version 3, and this Muster knows up to 2
                          hint: Use the Muster that wrote it, or a newer one.
                        """)
            }
        }
    }

    @Test(
        "A manifest that Muster did not write leads nowhere",
        arguments: [
            ("\"format_version\" : 1", "\"format_version\" : 0"), ("\"path\" : \"app\"", "\"path\" : \"../runs\""),
            ("\"checksums/app.sha256\"", "\"../lock\""), ("\"name\" : \"app\"", "\"name\" : \"other\""),
            ("\"run_id\" : \"20", "\"run_id\" : \"../20"), ("{", ""), ("\"bytes\" : 1", "\"bytes\" : \"1\""),
        ])
    func malformed(text: String, other: String) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            let manifest = area.current.appending("manifest.json")
            let edited = try read(manifest).replacing(text, with: other, maxReplacements: 1)
            try #require(try edited != read(manifest))
            try write(edited, to: manifest)
            for call in calls(area) {
                let error = await #expect(throws: StagingError.self) { try await call() }
                #expect(error?.code == .damagedSet)
                #expect(
                    error?.message.hasPrefix("\(manifest) is not a manifest that Muster wrote: ") == true,
                    "\(error?.message ?? "")")
                #expect(error?.hint == "The next muster run replaces the set.")
            }
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    @Test("Verifying ends when its task is cancelled")
    func cancelled() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            let verifying = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await SetDirectory(area.current).verify()
            }
            let error = await #expect(throws: StagingError.self) { try await verifying.value }
            #expect(error?.code == .cancelled)
        }
    }

    private func calls(_ area: StagingArea) -> [() async throws -> Void] {
        [{ _ = try await area.currentSet() }, { _ = try await SetDirectory(area.current).verify() }]
    }
}
