import SystemPackage
import Testing

/// The highest memory use of this process so far, in KiB.
public func peakMemory() throws -> Int {
    let line = try #require(try read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber)))
}
