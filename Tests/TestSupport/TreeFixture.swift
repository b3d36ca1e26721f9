import Glibc
import Linux
import SystemPackage

/// A file tree with one of everything that a file system can hold.
public struct TreeFixture: Sendable {
    public let root: FilePath

    /// Makes the tree. Needs root, for owners and devices.
    ///
    /// - Parameter deep: whether it lies in directories of long names, see `addDeepest`.
    public init(at root: FilePath, deep: Bool = false) async throws {
        var root = root
        if deep {
            for letter in "ab" {
                try FileSystem.createDirectory(root, mode: 0o755)
                root = root.appending(String(repeating: letter, count: 200))
            }
        }
        self.root = root
        try FileSystem.createDirectory(root, mode: 0o755)
        try await shell(
            """
            mkdir -p plain/sub empty && chmod 2750 plain/sub && chmod 0555 empty && chmod 1777 plain
            printf 'hello\\n' > plain/file && : > plain/nothing
            printf 'setuid' > plain/program && chown 1234:4321 plain/program && chmod 6751 plain/program
            printf 'secret' > plain/private && chmod 0000 plain/private
            ln plain/file plain/zweitname && ln plain/file plain/sub/drittname
            ln -s file plain/link && ln -s /nowhere//at/all/ plain/broken && chown -h 77:88 plain/broken
            touch -h -d '2001-02-03 04:05:06.123456789' plain/broken
            mkfifo -m 0620 plain/fifo && mknod plain/null c 1 3 && mknod plain/loop b 7 99 && chmod 0640 plain/loop
            setfattr -n user.comment -v 'a comment' plain/file && setfattr -n trusted.note -v 0xff00fe plain/sub
            setfattr -h -n trusted.link -v on-a-link plain/link
            setfacl -m u:1234:rw,g:4321:r plain/file && setfacl -d -m u:1234:rwx plain/sub
            touch -d '1969-07-20 20:17:40.987654321' plain/old && touch -d '2038-01-19 03:14:08.000000001' plain/late
            head -c 300000 /dev/urandom > plain/large
            truncate -s 3M plain/sparse && printf x | dd of=plain/sparse bs=1 seek=1500000 conv=notrunc status=none
            printf '1' > $'plain/line\\nbreak' && printf '2' > $'plain/\\xff\\xfe not UTF-8' && printf '3' > $'plain/tab\\t*?[#=\\\\ "'
            printf '4' > "plain/$(printf 'n%.0s' $(seq 255))"
            touch -d '2010-10-10 10:10:10.101010101' plain/sub && touch -d '2011-11-11 11:11:11.111111111' empty plain
            """)
    }

    /// A chain of directories below `deep`, so that the path to the file at its end has as many bytes as the kernel allows: 4095.
    public func addDeepest() async throws {
        try await shell(
            """
            mkdir deep && cd deep
            path=$(pwd)
            while [ ${#path} -lt 3800 ]; do
                name=$(printf 'd%.0s' $(seq 200)); mkdir "$name"; cd "$name"; path="$path/$name"
            done
            left=$((4095 - ${#path} - 1))
            while [ $left -gt 255 ]; do mkdir e; cd e; path="$path/e"; left=$((left - 2)); done
            printf 'deep' > "$(printf 'f%.0s' $(seq $left))"
            """)
    }

    @discardableResult
    public func shell(_ script: String) async throws -> String {
        let outcome = try await runProgram("bash", ["-euc", script], in: root)
        guard outcome.succeeded else { throw HostError(description: outcome.lastErrors) }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// Where the bytes of a file lie that are not zero, in blocks, and what they are. Does not read its holes: for a large one that takes a
    /// minute.
    public func data(of file: String) async throws -> String {
        let program = """
            import hashlib, os, sys
            block, size, offset = 4096, os.path.getsize(sys.argv[1]), 0
            with open(sys.argv[1], "rb", buffering=0) as file:
                print(size)
                while offset < size:
                    try:
                        start = os.lseek(file.fileno(), offset, os.SEEK_DATA) // block * block
                    except OSError:
                        break
                    offset = os.lseek(file.fileno(), max(start, offset), os.SEEK_HOLE)
                    for place in range(start, offset, block):
                        bytes = os.pread(file.fileno(), block, place)
                        if any(bytes):
                            print(place, hashlib.sha256(bytes).hexdigest())
            """
        let outcome = try await runProgram("python3", ["-c", program, file], in: root)
        guard outcome.succeeded else { throw HostError(description: outcome.lastErrors) }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// What an independent program finds to be different in a copy: contents, links, holes, owners, modes, times, attributes, lists.
    public func differences(from copy: FilePath, leavingOut name: String? = nil) async throws -> String {
        let compared = try await runProgram(
            "rsync",
            ["-aHAXni", "--numeric-ids", "--checksum", "--delete", "--modify-window=-1"]
                + (name.map { ["--exclude=/\($0)"] } ?? []) + ["\(root)/", "\(copy)/"])
        guard compared.succeeded else { throw HostError(description: compared.lastErrors) }
        return String(decoding: compared.output, as: UTF8.self)
    }
}
