import Linux
import Staging
import SystemPackage
import TestSupport

extension Host {
    /// 3603 files with long paths: a third have two names, a third have names that look alike in pairs.
    func sealManyNames() throws -> SealedSet {
        let level = String(repeating: "x", count: 240)
        let directory = FilePath("app").appending(level).appending(level).appending(level)
        _ = try seal([directory.appending("first"): "1", "app/removed": "gone", "app/grown": "more"])
        try FileSystem.removeFile(current.pushing(directory.appending("first")))
        for number in 0..<1200 {
            let file = current.pushing(directory.appending("file-\(number)"))
            try write("\(number)", to: file)
            try FileSystem.link(file, as: current.pushing(directory.appending("name-\(number)")))
            let odd: UInt8 = number.isMultiple(of: 2) ? 0xE4 : 0xF6
            let name = FilePath.Component(bytes: [odd] + "\(number / 2)".utf8)!
            try write(String(repeating: "x", count: number), to: current.pushing(directory.appending(name)))
        }
        return try seal([:])
    }
}

extension FilePath.Component {
    init?(bytes: [UInt8]) { self.init(platformString: bytes.map { CChar(bitPattern: $0) } + [0]) }
}
