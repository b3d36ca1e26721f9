import Glibc
import SystemPackage
import Testing

/// The highest memory use of this process so far, in KiB.
public func peakMemory() throws -> Int {
    let line = try #require(try read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber)))
}

extension Trait where Self == ConditionTrait {
    /// For a test that measures or locks memory. A sanitizer takes a lot for itself, and locks none.
    public static var unlessSanitized: Self { .disabled(if: isSanitized, "a sanitizer has memory of its own") }
}

private let isSanitized = (["__asan_init", "__tsan_init"] as [String]).contains { dlsym(nil, $0) != nil }
