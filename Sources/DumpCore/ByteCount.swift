/// A size for people, in IEC units with three significant digits: `0 B`, `1.21 KiB`, `512 MiB`.
public func formatBytes(_ count: Int64) -> String {
    guard count >= 1024 else { return "\(count) B" }
    var value = Double(count)
    var unit = -1
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    // 1023.5 would be rounded to 1024 of the smaller unit.
    while value >= 1023.5, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let hundredths = Int((value * 100).rounded())
    switch value {
    case ..<9.995: return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) \(units[unit])"
    case ..<99.95: return "\(Int((value * 10).rounded()) / 10).\(Int((value * 10).rounded()) % 10) \(units[unit])"
    default: return "\(Int(value.rounded())) \(units[unit])"
    }
}
