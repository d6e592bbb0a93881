import Foundation

/// A picture in kitty's graphics protocol: a PNG in base64, in chunks of at most 4,096 characters.
enum KittyPicture {
  static func text(png: [UInt8], columns: Int) -> String {
    let letters = Array(Data(png).base64EncodedString().utf8)
    var text = ""
    var start = 0
    while start < letters.count || start == 0 {
      let end = min(letters.count, start + 4096)
      let first = start == 0 ? "a=T,f=100,c=\(columns)," : ""
      text += "\u{1b}_G\(first)m=\(end < letters.count ? 1 : 0);\(String(decoding: letters[start..<end], as: UTF8.self))\u{1b}\\"
      start = end
      if end == letters.count { break }
    }
    return text + "\n"
  }
}
