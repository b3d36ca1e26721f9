import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

/// Against dumps that PostgreSQL 16, 17 and 18 wrote of one small database, kept in `Archives` with their `pg_restore --list`.
@Suite("Archives of pg_dump")
struct ArchiveTests {
    static let directory = FilePath(#filePath).removingLastComponent().appending("Archives")

    @Test("What each version of pg_dump wrote is verified, with the rows of every table", arguments: [16, 17, 18])
    func verified(major: Int) throws {
        let archive = try verify(Self.directory.appending("\(major)"), listing(major))
        #expect(
            archive.tables == [
                TableContents(schema: "public", name: "empty", rows: 0),
                TableContents(schema: "public", name: "parted_low", rows: 2),
                TableContents(schema: "two words", name: "of rows", rows: 3),
            ])
    }

    @Test("A table of contents that is cut anywhere is not read")
    func cutContents() async throws {
        try await withScratch { scratch in
            let whole = try bytes(of: Self.directory.appending("17/toc.dat"))
            let copy = scratch.appending("toc.dat")
            for count in stride(from: 0, to: whole.count, by: 7) {
                try write(Array(whole[..<count]), to: copy)
                #expect(throws: (any Error).self, "\(count) bytes") { try ArchiveContents.read(copy) }
            }
            try write(whole + [0], to: copy)
            #expect(throws: ArchiveReader.Malformed.self) { try ArchiveContents.read(copy) }
            try write(whole, to: copy)
            #expect(try ArchiveContents.read(copy).entries == 19)
        }
    }

    @Test("An archive version that is not known is refused by name")
    func unknownVersion() async throws {
        try await withScratch { scratch in
            var contents = try bytes(of: Self.directory.appending("18/toc.dat"))
            contents[6] = 17
            try write(contents, to: scratch.appending("toc.dat"))
            let error = #expect(throws: DumpError.self) {
                try verify(scratch, ArchiveListing())
            }
            #expect(error?.code == .programUnsuitable)
            #expect(
                error?.message
                    == "database 'sample' was dumped in archive version 1.17, which this Muster does not know")
        }
    }

    @Test("A large object that is missing, or a list of them that is cut, is found", arguments: [16, 18])
    func largeObjects(major: Int) async throws {
        try await withScratch { scratch in
            let copy = scratch.appending("copy")
            let list = major == 16 ? "blobs.toc" : "blobs_3361.toc"
            let object = "blob_16462.dat"
            _ = try await runProgram("cp", ["-r", Self.directory.appending("\(major)").string, copy.string])

            try FileSystem.removeFile(copy.appending(object))
            var error = #expect(throws: DumpError.self) { try verify(copy, listing(major)) }
            #expect(
                error?.message
                    == "the dump of database 'sample' is not complete: the data file \(object) of large object 16462 is missing"
            )
            try write("second", to: copy.appending(object))
            try write("16461 blob_16461.dat\n16462 blob_1646", to: copy.appending(list))
            error = #expect(throws: DumpError.self) { try verify(copy, listing(major)) }
            #expect(
                error?.message
                    == "the dump of database 'sample' is not complete: the list of large objects \(list) is cut off")
            try write("16461 blob_16461.dat\n", to: copy.appending(list))
            error = #expect(throws: DumpError.self) { try verify(copy, listing(major)) }
            #expect(
                error?.message
                    == "the dump of database 'sample' is not complete: its table of contents does not name the file \(object)"
            )
        }
    }

    @Test("pg_restore's listing must say the same as the table of contents")
    func otherListing() throws {
        let directory = Self.directory.appending("17")
        var listing = try listing(17)
        listing.tableData.insert(4711)
        let error = #expect(throws: DumpError.self) { try verify(directory, listing) }
        #expect(error?.code == .incompleteDump)
        #expect(throws: DumpError.self) { try verify(directory, ArchiveListing()) }
    }

    @Test("The files of all tables are known before the first is read")
    func found() throws {
        var told: [String] = []
        var tables: Set<String> = []
        _ = try ArchiveVerification.verify(
            Self.directory.appending("17"), of: "database 'sample'", against: listing(17), stop: StopSign()
        ) { files in
            #expect(tables.isEmpty && told.isEmpty)
            tables = Set(files.map(\.string))
        } completed: { file, _, isOfTable in
            if isOfTable { told.append(file.string) }
        }
        #expect(!told.isEmpty && Set(told) == tables && told.count == tables.count)
    }

    private func verify(_ directory: FilePath, _ listing: ArchiveListing) throws(DumpError) -> VerifiedArchive {
        try ArchiveVerification.verify(directory, of: "database 'sample'", against: listing, stop: StopSign())
    }

    private func listing(_ major: Int) throws -> ArchiveListing {
        let reader = ArchiveListingReader()
        for line in try read(Self.directory.appending("\(major).list")).split(separator: "\n") {
            reader.add(String(line))
        }
        return reader.result
    }

    private func bytes(of path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            try [UInt8](unsafeUninitializedCapacity: 1 << 16) { space, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(space))
            }
        }
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    private func write(_ text: String, to path: FilePath) throws { try write(Array(text.utf8), to: path) }
}
