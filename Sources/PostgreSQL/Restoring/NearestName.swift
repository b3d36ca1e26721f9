import Settings

/// The name that the operator most likely meant, also without its schema: `orders` finds `public.orders`.
func nearestName(to text: String, among names: [String]) -> String? {
    names.first { $0.hasSuffix(".\(text)") } ?? nearestWord(to: text, among: names)
}
