import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Directories

@Suite("A file that is copied")
struct FileCopyTests {
    @Test("lies in the tree: a link that took the place of a directory leads to nothing")
    func throughALink() async throws {
        try await withScratch { scratch in
            let (source, outside) = (scratch.appending("source"), scratch.appending("outside"))
            for directory in [source, outside, outside.appending("inner")] { try FileSystem.createDirectory(directory) }
            try write("secret", to: outside.appending("file"))
            try #require(symlink(outside.string, source.appending("sub").string) == 0)
            #expect(try copy("sub/file", of: source, to: scratch.appending("target")) == nil)
            #expect(throws: Errno.tooManySymbolicLinkLevels) { try OpenDirectory(source).names(in: "sub/inner") }
        }
    }

    @Test("is not read before its last change lies a tick back: a second one in the same tick leaves the same time")
    func waits() async throws {
        try await withScratch { scratch in
            let entry = try copy(in: scratch)
            let changed = try #require(entry.source).changed
            #expect(FileCopy.now - changed >= FileCopy.tick)
        }
    }

    @Test(
        "and changed in the tick of a snapshot is read again the next time: it may have been changed once more after it"
    )
    func inTheTickOfASnapshot() async throws {
        try await withScratch { scratch in
            let changed = try #require(try copy(in: scratch).source).changed
            for (age, isKnown) in [(FileCopy.tick, true), (FileCopy.tick - 1, false), (0, false), (-1, false)] {
                let entry = try copy(in: scratch, isNew: false, asOf: changed + age)
                #expect((entry.source != nil) == isKnown, "\(age)")
            }
        }
    }

    /// Copies a file that was written just before, or the one of the last call.
    private func copy(in scratch: FilePath, isNew: Bool = true, asOf: Int64? = nil) throws -> TreeEntry {
        let (source, target) = (scratch.appending("source"), scratch.appending("target"))
        if isNew {
            try FileSystem.createDirectory(source)
            try write("text", to: source.appending("file"))
        }
        return try #require(try copy("file", of: source, to: target, asOf: asOf))
    }

    /// Nil if it is gone.
    private func copy(
        _ path: FilePath, of source: FilePath, to target: FilePath, asOf: Int64? = nil
    ) throws -> TreeEntry? {
        if access(target.string, F_OK) == 0 { try FileTree(target).remove() }
        try FileSystem.createDirectory(target)
        return try FileCopy(
            source: OpenDirectory(source), target: OpenDirectory(target), path: path, cloning: CloneSupport(),
            buffer: CopyBuffer(), stop: StopSign(), asOf: asOf, progress: { _ in }
        ).perform()?.entry
    }
}
