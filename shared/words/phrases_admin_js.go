package words

// adminPhrases are said by the server alone.
var adminPhrases map[string]phrase
