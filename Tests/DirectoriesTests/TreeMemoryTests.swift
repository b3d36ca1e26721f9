import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Directories

@Suite("Memory for trees of many files")
struct TreeMemoryTests {
    /// KiB. A list of entries took 300 bytes for each file, and there are three: 6,000 KiB here.
    private static let growth = 1500

    @Test("does not grow with what a dump keeps of each file on its way", .unlessSanitized)
    func manyFiles() async throws {
        try await withScratch { scratch in
            _ = await #expect(processExitsWith: .success) { [path = scratch.string as String] in
                let directory = FilePath(path)
                // Until every list has written something down.
                try keep(1000, in: directory)
                let before = try peakMemory()
                try keep(8000, in: directory)
                let grown = try peakMemory() - before
                #expect(grown < TreeMemoryTests.growth, "\(grown) KiB")
                #expect(try FileSystem.names(in: directory) == [])
            }
        }
    }

    @Test(
        "is not what several names of a file are told apart by: they come back together, in their order, in any number of threads' hands"
    )
    func namesByFile() async throws {
        try await withScratch { scratch in
            let names = NamesByFile(in: scratch)
            var files: [FileNumber] = []
            for name in ["a", "b", "c"] as [FilePath] {
                try write("", to: scratch.pushing(name))
                files.append(FileNumber(try FileSystem.status(of: scratch.pushing(name))))
            }
            let added = (0..<300).map { (path: FilePath("name-\($0)"), file: $0 * 7 % 3) }
            for (path, file) in added { try names.add(.init(path: path, diskBytes: Int64(file)), of: files[file]) }
            var found: [[FilePath]] = []
            while let next = try names.nextFile() {
                #expect(Set(next.map(\.diskBytes)).count == 1)
                found.append(next.map(\.path))
            }
            #expect(Set(found) == Set((0..<3).map { file in added.filter { $0.file == file }.map(\.path) }))
        }
    }

    @Test("grows by a few bytes for each directory that must stay what it was", .unlessSanitized)
    func manyDirectories() async throws {
        try await withScratch { scratch in
            _ = await #expect(processExitsWith: .success) { [path = scratch.string as String] in
                let source = try OpenDirectory(FilePath(path))
                let status = try source.status(of: FilePath())
                let expect = { (numbers: Range<Int>) in
                    for number in numbers { source.expect(FilePath("directory-\(number)"), status) }
                }
                expect(0..<1000)
                let before = try peakMemory()
                expect(1000..<100_000)
                let grown = try peakMemory() - before
                // A path and its number took 150 bytes: 15,000 KiB here.
                #expect(grown < 6000, "\(grown) KiB")
            }
        }
    }

    @Test("is bounded also where a tree vanishes as a whole: the first are named, and all are counted")
    func vanished() {
        var paths = FirstOfMany<FilePath>()
        for number in 0..<5000 { paths.add(FilePath("\(number)")) }
        #expect(paths.count == 5000)
        #expect(paths.first == (0..<100).map { FilePath("\($0)") })
    }
}

/// What a dump of a tree of so many files keeps.
private func keep(_ count: Int, in directory: FilePath) throws {
    let portion = 32 * 1024
    let entries = TreeEntries(in: directory, portionOf: portion)
    let files = FilesToCopy(in: directory, portionOf: portion)
    let names = NamesByFile(in: directory, portionOf: portion)
    let status = try FileSystem.status(of: directory)
    for number in 0..<count {
        var entry = TreeEntry(FilePath("directory-\(number / 1000)/file-\(number)"), status)
        entry.sha256 = SHA256Digest(String(repeating: "0f", count: 32))
        try entries.add(entry)
        try files.add(.init(path: entry.path, former: entry))
        if number.isMultiple(of: 10) {
            try names.add(.init(path: entry.path, diskBytes: 1, entry: entry), of: FileNumber(status))
        }
    }
    var (sorted, found) = (entries.sorted(), 0)
    while try sorted.nextLines() != nil { found += 1 }
    var handedOut = 0
    while try files.next() != nil { handedOut += 1 }
    try #require(found == count && handedOut == count)
}
