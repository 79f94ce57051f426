package words

// apiPhrases are said by the server alone.
var apiPhrases map[string]phrase
