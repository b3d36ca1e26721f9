import Checksums
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Staging

@Suite("Verifying files whose bytes came by already")
struct KnownDigestTests {
    @Test("reads none of them again, and all others")
    func known() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1111", "y": "2222", "z": "3333"]])
            let digests = DigestSpool(in: area.root)
            for name in ["x", "z"] {
                let path = FilePath("app").appending(name)
                try digests.add(path, try FileScan(area.current.pushing(path)).digest())
            }
            // In place, so that it is the same file: only reading it would tell.
            for name in ["x", "y"] { try write("9999", to: area.current.appending("app").appending(name)) }
            let report = try await SetDirectory(area.current).verify(knowing: digests)
            #expect(report.problems.map(\.path) == ["app/y"] && report.files == 3 && report.bytes == 12)
        }
    }

    @Test("believes a digest of the listed file alone, and finds one that is another")
    func wrong() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1111", "y": "2222"]])
            let digests = DigestSpool(in: area.root)
            var digest = try FileScan(area.current.appending("app/x")).digest()
            digest.sha256 = String(repeating: "0", count: 64)
            try digests.add("app/x", digest)
            // Of another file than lies there: it is read.
            digest.inode = .max
            try digests.add("app/y", digest)
            let report = try await SetDirectory(area.current).verify(knowing: digests)
            #expect(report.problems.map(\.path) == ["app/x"])
            #expect(
                report.problems.first?.details.hasPrefix("changed, its SHA-256 is \(digest.sha256) and not ") == true)
        }
    }
}
