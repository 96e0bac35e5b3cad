import Monitoring

extension DurationText {
    /// Milliseconds of a duration with a sign, as in `--shift -6m`.
    static func signedMilliseconds(_ text: String) -> Int64? {
        if text.hasPrefix("-") { return self.milliseconds(String(text.dropFirst())).map { -$0 } }
        return self.milliseconds(text.hasPrefix("+") ? String(text.dropFirst()) : text)
    }
}
