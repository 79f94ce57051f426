package words

// boardPhrases are said by the server alone.
var boardPhrases map[string]phrase
