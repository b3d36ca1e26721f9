import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("The rights to copy a tree")
struct CopyRightsTests {
    private func findings(
        as user: UInt32, of groups: Set<UInt32>, isCopied: Bool = true,
        _ files: [(name: String, uid: UInt32, gid: UInt32)]
    ) async throws -> [Finding] {
        try await withScratch { scratch in
            let source = try OpenDirectory(scratch)
            var rights = CopyRights(user: user, groups: groups)
            for file in files {
                try write("", to: scratch.appending(file.name))
                #expect(lchown(scratch.appending(file.name).string, file.uid, file.gid) == 0)
                rights.add(FilePath(file.name), try source.status(of: FilePath(file.name)), in: source)
            }
            return rights.findings(isCopied: isCopied).map { finding in
                var finding = finding
                finding.message = finding.message.replacing(scratch.string, with: "DIR")
                return finding
            }
        }
    }

    @Test("lack what only root may do: to give files to others, or to groups of others")
    func owners() async throws {
        let files: [(name: String, uid: UInt32, gid: UInt32)] = [
            ("own", 34, 34), ("a", 34, 33), ("b", 33, 34), ("supplementary", 34, 100),
        ]
        let found = try await findings(as: 34, of: [34, 100], files)
        #expect(found.map(\.code) == ["cannot_preserve"])
        #expect(found.map(\.severity) == [.failure])
        #expect(found.first?.message == "the owner or group of DIR/a and 1 more cannot be kept by user 34")
        #expect(
            found.first?.hint
                == "Run Muster as root: only root may give files to other users, or to groups of others.")
        #expect(try await findings(as: 0, of: [0], files).isEmpty)
        #expect(try await findings(as: 34, of: [34, 100], isCopied: false, files).isEmpty, "Borg reads them in place")
        #expect(try await findings(as: 34, of: [34, 100], [files[0], files[3]]).isEmpty)
    }

    @Test("lack what only root may make: file capabilities and devices, which check finds before the dump")
    func privileged() async throws {
        try await withScratch { scratch in
            let make = """
                touch plain tool labelled acl && chown 34:34 * && setfattr -n user.x -v y labelled && setfacl -m u:7:r acl
                setcap cap_net_raw+ep tool && setfattr -n trusted.x -v y labelled
                mknod null c 1 3 && chown 34:34 null && mkfifo fifo && chown 34:34 fifo && ln -s nowhere link && chown -h 34:34 link
                """
            let made = try await runProgram("bash", ["-euc", make], in: scratch)
            #expect(made.succeeded, "\(made.lastErrors)")
            let source = try OpenDirectory(scratch)
            func findings(as user: UInt32, _ names: [String]) throws -> [String] {
                var rights = CopyRights(user: user, groups: [34])
                for name in names { rights.add(FilePath(name), try source.status(of: FilePath(name)), in: source) }
                return rights.findings(isCopied: true).map { $0.message.replacing(scratch.string, with: "DIR") }
            }
            #expect(try findings(as: 34, ["plain", "acl", "fifo", "link"]) == [])
            #expect(try findings(as: 0, ["tool", "null"]) == [])
            #expect(
                try findings(as: 34, ["plain", "tool", "null"]) == [
                    "the attribute security.capability of DIR/tool cannot be kept by user 34",
                    "the device DIR/null cannot be made again by user 34",
                ])
        }
    }
}
