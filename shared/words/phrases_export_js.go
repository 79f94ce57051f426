package words

// exportPhrases are said by the server alone.
var exportPhrases map[string]phrase
