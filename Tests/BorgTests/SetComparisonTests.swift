import DumpCore
import Staging
import SystemPackage
import Testing

@testable import Borg

@Suite("Comparing an archive with a set")
struct SetComparisonTests {
    static let set: [SealedSet.Entry] = [
        .init(path: "app", kind: .directory, bytes: 0),
        .init(path: "app/two\nlines", kind: .file, bytes: 7),
        .init(path: "manifest.json", kind: .file, bytes: 3),
    ]
    static let faithful = [
        ["id", "drwx------", "0", "app", ""], ["id", "-rw-------", "7", "app/two\nlines", ""],
        ["id", "-rw-------", "3", "manifest.json", ""],
    ]

    @Test("A listing may come in pieces that are cut anywhere", arguments: 1...70)
    func pieces(size: Int) {
        let result = compare(Self.faithful, pieces: size)
        #expect(result.archiveID == "id")
        #expect(result.differences.isEmpty, "\(result.differences)")
    }

    @Test(
        "Every difference is found",
        arguments: [
            (["-rw-------", "8", "app/two\nlines", ""], "app/two\nlines has 8 bytes instead of 7"),
            (["drwx------", "7", "app/two\nlines", ""], "app/two\nlines is of another kind (drwx------)"),
            (["lrwxrwxrwx", "7", "app/two\nlines", "x"], "app/two\nlines is of another kind (lrwxrwxrwx)"),
            (["prw-------", "7", "app/two\nlines", ""], "app/two\nlines is of another kind (prw-------)"),
            (
                ["hrw-------", "0", "app/two\nlines", "manifest.json"],
                "app/two\nlines is another name of manifest.json"
            ),
            (["hrw-------", "0", "app/two\nlines", "/etc/x"], "app/two\nlines is another name of /etc/x"),
            (["-rw-------", "7", "app", ""], "app is there twice; app/two\nlines is missing"),
            (["-rw-------", "7", "app/Two\nlines", ""], "app/Two\nlines is not in the set; app/two\nlines is missing"),
        ])
    func differences(instead: [String], found: String) {
        var listing = Self.faithful
        listing[1] = ["id"] + instead
        #expect(compare(listing).differences.description == found)
    }

    @Test("An empty listing, and one that breaks off, are differences")
    func cutOff() {
        let nothing = compare([])
        #expect(nothing.archiveID == nil)
        #expect(
            nothing.differences.description == "app is missing; app/two\nlines is missing; manifest.json is missing")
        #expect(compare(Self.faithful + [["id", "-rw"]]).differences.description == "the listing breaks off")
    }

    @Test("Names that are not UTF-8, look alike and come in any order are told apart by what they are")
    func alike() {
        func path(_ byte: UInt8) -> FilePath {
            FilePath("app").appending(FilePath.Component(platformString: [77, CChar(bitPattern: byte), 0])!)
        }
        let entries: [SealedSet.Entry] = [
            .init(path: path(0xE4), kind: .file, bytes: 7), .init(path: path(0xF6), kind: .symbolicLink, bytes: 0),
            .init(path: path(0xFC), kind: .file, bytes: 9),
        ]
        let listing = [
            ["id", "lrwxrwxrwx", "0", "app/M?", "x"], ["id", "-rw-------", "9", "app/M?", ""],
            ["id", "-rw-------", "7", "app/M?", ""],
        ]
        #expect(compare(listing, with: entries).differences.isEmpty)
        let another = Array(listing.dropLast()) + [["id", "-rw-------", "8", "app/M?", ""]]
        #expect(compare(another, with: entries).differences.description == "app/M? has 8 bytes instead of 7")
        #expect(compare(listing + [listing[0]], with: entries).differences.description == "app/M? is there twice")
    }

    private func compare(
        _ entries: [[String]], with sealed: [SealedSet.Entry] = Self.set, pieces size: Int = 4096
    ) -> SetComparison.Result {
        let comparison = SetComparison(sealed)
        let bytes = Array(entries.joined().map { Array($0.utf8) + [0] }.joined())
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { comparison.take($0) }
        }
        return comparison.finish()
    }
}
