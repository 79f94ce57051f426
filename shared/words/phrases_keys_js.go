package words

// keyPhrases are said by the server alone.
var keyPhrases map[string]phrase
