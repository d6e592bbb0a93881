/// A public data set: its address, its checksum and its terms of use.
public struct PublicData: Sendable {
  public let name: String
  /// The address of the archive on the publisher's server.
  public let address: String
  /// The MD5 sum of the archive, as published beside it.
  public let md5: String
  /// The approximate size of the archive in MB.
  public let megabytes: Int
  /// The file with the interactions, inside of the archive.
  public let file: String
  /// A summary of the publisher's terms of use.
  public let terms: String

  /// GroupLens' data sets (Harper and Konstan, "The MovieLens Datasets: History and Context", TiiS 2015).
  public static let all: [PublicData] = [
    movieLens("ml-100k", "0e33842e24a9c977be4e0107933c0723", 5, "u.data"),
    movieLens("ml-1m", "c4d9eecfca2ab87c1945afe126590906", 6, "ratings.dat"),
    movieLens("ml-20m", "cd245b17a1ae2cc31bb14903e1204af3", 199, "ratings.csv"),
    movieLens("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada", 262, "ratings.csv"),
  ]

  private static func movieLens(_ name: String, _ md5: String, _ megabytes: Int, _ file: String) -> PublicData {
    PublicData(
      name: name, address: "https://files.grouplens.org/datasets/movielens/\(name).zip", md5: md5, megabytes: megabytes,
      file: "\(name)/\(file)",
      terms: """
        \(name) is published by GroupLens Research, University of Minnesota, for research, on these terms (in full in its README):
          no endorsement by the University or GroupLens may be stated or implied; publications must acknowledge the data;
          it may not be redistributed without permission, nor used commercially without permission of a faculty member;
          it comes without any warranty.
        """)
  }
}
