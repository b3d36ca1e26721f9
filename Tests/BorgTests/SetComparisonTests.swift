import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
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
    func pieces(size: Int) throws {
        let result = try compare(Self.faithful, pieces: size)
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
    func differences(instead: [String], found: String) async throws {
        var listing = Self.faithful
        listing[1] = ["id"] + instead
        #expect(try compare(listing).differences.description == found)
        try await withScratch { (scratch) async throws -> Void in
            #expect(try compare(listing, spooledIn: scratch).differences.description == found)
            #expect(try FileSystem.names(in: scratch) == [])
        }
    }

    @Test("An empty listing, and one that breaks off, are differences")
    func cutOff() throws {
        let nothing = try compare([])
        #expect(nothing.archiveID == nil)
        #expect(
            nothing.differences.description == "app is missing; app/two\nlines is missing; manifest.json is missing")
        #expect(try compare(Self.faithful + [["id", "-rw"]]).differences.description == "the listing breaks off")
    }

    @Test("Names that are not UTF-8, look alike and come in any order are told apart by what they are")
    func alike() async throws {
        let entries: [SealedSet.Entry] = [
            .init(path: odd(0xE4), kind: .file, bytes: 7), .init(path: odd(0xF6), kind: .symbolicLink, bytes: 0),
            .init(path: odd(0xFC), kind: .file, bytes: 9),
        ]
        let listing = [
            ["id", "lrwxrwxrwx", "0", "app/M?", "x"], ["id", "-rw-------", "9", "app/M?", ""],
            ["id", "-rw-------", "7", "app/M?", ""],
        ]
        let another = Array(listing.dropLast()) + [["id", "-rw-------", "8", "app/M?", ""]]
        let cases = [
            (listing, ""), (another, "app/M? has 8 bytes instead of 7"),
            (listing + [listing[0]], "app/M? is there twice"), (Array(listing.dropFirst()), "app/M\u{FFFD} is missing"),
        ]
        for (listing, found) in cases {
            #expect(try compare(listing, with: entries).differences.description == found)
            try await withScratch { (scratch) async throws -> Void in
                let result = try compare(listing, with: entries, spooledIn: scratch)
                #expect(result.differences.description == found)
            }
        }
    }

    @Test("A path is compared byte for byte, whatever other path means the same")
    func sameMeaning() throws {
        var listing = Self.faithful
        listing[1][3] = "app//two\nlines"
        #expect(
            try compare(listing).differences.description
                == "app//two\nlines is not in the set; app/two\nlines is missing")
    }

    @Test("Further names of a file are right if it is as large, wherever they are and however many")
    func furtherNames() async throws {
        let alike = [
            SealedSet.Entry(path: odd(0xE4), kind: .file, bytes: 7), .init(path: odd(0xFC), kind: .file, bytes: 9),
        ]
        let names = (0..<300).map { SealedSet.Entry(path: FilePath("app/\($0)"), kind: .file, bytes: 9) }
        let first = alike.map { ["id", "-rw-------", "\($0.bytes)", "app/M?", ""] }
        // By an ambiguous name, and by one that comes in the middle of the paths.
        let further = names.map {
            ["id", "hrw-------", "0", $0.path.string, $0.path == "app/150" ? "app/M?" : "app/150"]
        }
        let otherSize = SealedSet.Entry(path: "zz", kind: .file, bytes: 8)
        let wrong = ["id", "hrw-------", "0", "zz", "app/150"]
        try await withScratch { (scratch) async throws -> Void in
            for directory in [nil, scratch] {
                let right = try compare(further.shuffled() + first, with: names + alike, spooledIn: directory)
                #expect(right.differences.isEmpty, "\(right.differences)")
                let result = try compare(
                    [wrong] + first + further, with: names + alike + [otherSize], spooledIn: directory)
                #expect(result.differences.description == "zz is another name of app/150")
            }
        }
    }

    @Test("What cannot be written down is an error, not a difference")
    func unwritable() throws {
        #expect(throws: Errno.noSuchFileOrDirectory) { try compare(Self.faithful, spooledIn: "/nowhere") }
    }

    @Test("Memory does not grow with the number of files, whatever Borg lists")
    func memory() async throws {
        try await withScratch { (scratch) async throws -> Void in
            await #expect(processExitsWith: .success) { [root = scratch.string as String] in
                var sealed = SealedListing(in: FilePath(root))
                let count = 100_000
                let before = try peakMemory()
                try sealed.addMany(count)
                let comparison = SetComparison(with: sealed)
                for number in 1...count {
                    // Borg lists in the order of inodes, and every tenth is a further name here.
                    let place = number * 7919 % count + 1
                    let isFurther = place.isMultiple(of: 10)
                    let (mode, original) = isFurther ? ("hrw-------", manyFiles(place - 1)) : ("-rw-------", "")
                    let entry = "id\0\(mode)\0\(isFurther ? 0 : 1234)\0\(manyFiles(place))\0\(original)\0"
                    Array(entry.utf8).withUnsafeBytes { comparison.take($0) }
                }
                let result = try comparison.finish()
                #expect(result.differences.isEmpty, "\(result.differences)")
                // 11.5 MiB. A list and a dictionary of the paths took 32.4.
                let grown = try peakMemory() - before
                #expect(grown < 20 * 1024, "\(grown) KiB")
            }
        }
    }

    private func odd(_ byte: UInt8) -> FilePath {
        FilePath("app").appending(FilePath.Component(bytes: [77, byte])!)
    }

    /// - Parameter directory: where all of it is to be kept on disk; nil if it fits into memory.
    private func compare(
        _ entries: [[String]], with set: [SealedSet.Entry] = Self.set, pieces size: Int = 4096,
        spooledIn directory: FilePath? = nil
    ) throws -> SetComparison.Result {
        var sealed = SealedListing(in: directory ?? "/nowhere", portionOf: directory == nil ? 1 << 20 : 1)
        for entry in set { try sealed.add(entry) }
        let comparison = SetComparison(with: sealed)
        let bytes = Array(entries.joined().map { Array($0.utf8) + [0] }.joined())
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { comparison.take($0) }
        }
        return try comparison.finish()
    }
}

extension SealedListing {
    /// The files 1 to `count`.
    fileprivate mutating func addMany(_ count: Int) throws {
        for number in 1...count { try add(.init(path: FilePath(manyFiles(number)), kind: .file, bytes: 1234)) }
    }
}

private func manyFiles(_ number: Int) -> String {
    "app/databases/shop/blobs/directory-\(number % 100)/blob_\(number).dat"
}
