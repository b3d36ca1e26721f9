import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Trees

@Suite("Values by path, in bounded memory")
struct PathSpoolTests {
    @Test(
        "They come back in the order of a walk, however few fit into memory, and leave no file",
        arguments: [1, 40, 500, 1 << 20])
    func order(portion: Int) async throws {
        try await withScratch { scratch in
            let paths: [FilePath] = ["a", "a/b", "a/b/\u{E9}", "a-b", "a.b", "a0", "b\n", "b/1", "b/10", "b/2"]
            let spool = PathSpool(in: scratch, portionOf: portion)
            for path in paths.shuffled() { try spool.add(path, path.bytes + [0, 1]) }
            var reader = spool.sorted()
            var found: [FilePath] = []
            while let next = try reader.peek() {
                let (path, value) = try #require(try reader.next())
                #expect(path == next && value == path.bytes + [0, 1])
                found.append(path)
            }
            #expect(found == paths.sorted { TreeEntry.precedes($0, $1) } && found.count == paths.count)
            #expect(try FileSystem.names(in: scratch) == [])
        }
    }

    @Test("Two values of one path both come back, from any portion", arguments: [1, 1 << 20])
    func twice(portion: Int) async throws {
        try await withScratch { scratch in
            let spool = PathSpool(in: scratch, portionOf: portion)
            for (path, value) in [("x", 1), ("y", 2), ("x", 3)] { try spool.add(FilePath(path), [UInt8(value)]) }
            var reader = spool.sorted()
            let first = try [reader.next()?.value, reader.next()?.value].compactMap { $0?.first }.sorted()
            #expect(first == [1, 3])
            #expect(try reader.next()?.path == "y")
            #expect(try reader.next() == nil)
        }
    }

    @Test(
        "Any number of portions are put in order, with those that came in order already and those that did not",
        arguments: [true, false])
    func manyPortions(isInOrder: Bool) async throws {
        try await withScratch { scratch in
            let spool = PathSpool(in: scratch, portionOf: 300)
            let paths = (0..<2000).map {
                FilePath("d-\(1000 + $0 / 30)/\($0 % 7 == 0 ? "sub/" : "")f-\(1000 + $0 % 30)")
            }
            .sorted { TreeEntry.precedes($0, $1) }
            for path in isInOrder ? paths : paths.shuffled() { try spool.add(path, path.bytes) }
            var (reader, found) = (spool.sorted(), [FilePath]())
            while let (path, value) = try reader.next() {
                #expect(value == path.bytes)
                found.append(path)
            }
            #expect(found == paths)
        }
    }

    @Test("What cannot be written down is an error")
    func unwritable() throws {
        let spool = PathSpool(in: "/nowhere", portionOf: 1)
        #expect(throws: Errno.noSuchFileOrDirectory) { try spool.add("x", []) }
    }
}

@Suite("Names of a directory in order")
struct SortedNamesTests {
    @Test(
        "All come once and in the order of their bytes, however few fit into memory, while they are removed",
        arguments: [4, 64, 1 << 20], [true, false])
    func portions(mostBytes: Int, removing: Bool) async throws {
        try await withScratch { scratch in
            let names = (0..<300).map { "\(($0 * 7919) % 1000)-\($0)" } + ["\u{E4}", "A", "..."]
            for name in names { try write("", to: scratch.appending(name)) }
            let directory = try OpenDirectory(scratch)
            var sorted = SortedNames(portionOf: mostBytes)
            var found: [String] = []
            while let name = try sorted.next(in: "", of: directory) {
                found.append(name.string)
                if removing { try directory.remove(FilePath(root: nil, [name])) }
            }
            #expect(found == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
    }

    @Test("A directory without names has none")
    func empty() async throws {
        try await withScratch { scratch in
            var names = SortedNames()
            let directory = try OpenDirectory(scratch)
            #expect(try names.next(in: "", of: directory) == nil)
        }
    }
}
